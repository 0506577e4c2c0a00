"""A folder of source: tree, files, ignore rules, tar."""
