//! Fuzz targets of Drystone.
