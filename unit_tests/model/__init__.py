"""What a copy is, as a program small enough to be read: the rules that source_linear/sync/copy.py follows."""
