"""The provider's process: decides, records, keeps and foretells. Imports nothing: the program loads `hosting`."""
