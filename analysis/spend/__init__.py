"""What logged usage cost: every sum priced once, then grouped as asked."""
