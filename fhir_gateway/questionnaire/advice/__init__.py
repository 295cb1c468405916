"""What lint looks for, one file a family. Each yields findings about one item or the whole."""
