"""What comes in as a workbook: read, looked at, confirmed. One filing, many at once, people and unions."""
