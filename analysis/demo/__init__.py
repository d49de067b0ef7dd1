"""A worked month: two months of logs of the article's fleet, with three things planted in them."""
