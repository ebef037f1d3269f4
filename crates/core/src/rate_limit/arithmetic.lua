-- a * b / c rounded down, and the rest. A product of two doubles that comes out below 2^53 is exact, and so is
-- its quotient; a greater one is made of 7 bits of `a` at a time, each product below 2^52.
local function divide(a, b, c)
  local product = a * b
  if product < 9007199254740992 then
    local rest = product % c
    return (product - rest) / c, rest
  end
  local quotient, rest, part = 0, 0, b % c
  local shift = 4398046511104
  while shift >= 1 do
    local sum = rest * 128 + floor(a / shift) % 128 * part
    rest = sum % c
    quotient = quotient * 128 + (sum - rest) / c
    shift = shift / 128
  end
  return quotient + a * ((b - part) / c), rest
end
