"""Material that is filed: taken in by pieces, judged by content, kept, taken away as one zip."""
