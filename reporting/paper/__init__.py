"""The legal copy: PDFs to sign and stamp, the code that ties them to figures, the scans that come back."""
