"""What a kernel reads of an allocation's rules: one float64 array of dials, then the looks, then e_K = 0."""

VIEWER_VALUE = 0
GOODS_VALUE = 1
AD_PRICE = 2
MAX_ADS = 3
FIRST_AD = 4
AD_GAP = 5
MERCHANT_CAP = 6
CATEGORY_CAP = 7
EXPLAINED = 8
TEMPERATURE = 9
LOOKS = 10

PAID = 1
LANDSCAPE = 2
RANDOM = 4
"""Bits of a kernel's mode: somebody may bid; log the landscape; draw the slate (and sell nothing)."""
