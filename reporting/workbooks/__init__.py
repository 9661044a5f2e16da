"""What goes out as a workbook: a filing, its blank template, the summary."""
