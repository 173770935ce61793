"""What a sync is: its bounds, its pages, its records, its summary."""
