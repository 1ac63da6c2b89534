"""Pages and pieces of pages about licenses and vault users."""
