"""Reports: tables, pages and charts made from traces alone. Measures nothing."""
