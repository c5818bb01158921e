"""The price sites, one file each, and the table of all of them."""
