"""The workbook of all delegations: plan, visits, records, money, material."""
