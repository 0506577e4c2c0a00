"""What a log says: lines, stamps, masking, what is stored of it."""
