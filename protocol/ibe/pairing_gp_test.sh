#!/usr/bin/env bash
# Pairing values against PARI/GP at the three main sizes: our program prints p, q, the points and e'(A, B); gp computes
# the Tate pairing over F_p^2 by its own arithmetic, once with elltatepairing and once with a Miller loop written out
# from the definition, and compares.
# usage: pairing_gp_test.sh PAIRING_VALUES DIR-OF-PARAMETER-SETS
set -euo pipefail
program=$1
sets=$2
command -v gp >/dev/null || { echo 'gp is missing: install pari-gp'; exit 1; }

check='
ok = 0;
i = ffgen((x^2 + 1) * Mod(1, p), t);
one = i^0;
if (!ispseudoprime(p) || !ispseudoprime(q) || (p + 1) % (12 * q) != 0, error("parameters"));
root = ((p - 1) / 2) * (1 + lift(Mod(3, p)^((p + 1) / 4)) * i);
if (root == one || root^3 != one, error("root is no cube root of unity"));
E = ellinit([0, 1] * one);
A = [a0 * one, a1 * one];
B = [root * b0, b1 * one];
if (!ellisoncurve(E, A) || !ellisoncurve(E, B), error("points"));
if (ellmul(E, A, q) != [0] || ellmul(E, B, q) != [0], error("orders"));
ours = e0 + e1 * i;
power = (p^2 - 1) / q;

\\ f with divisor q(A) - q(O), evaluated at B, in affine coordinates (RFC 5091 section 3.4, corrected)
vertical(V) = if (V == [0], one, B[1] - V[1]);
line(V, W) = {
  if (V == [0] || W == [0], return(vertical(if (V == [0], W, V))));
  if (V[1] == W[1] && V[2] == -W[2], return(vertical(V)));
  my(s = if (V == W, 3 * V[1]^2 / (2 * V[2]), (W[2] - V[2]) / (W[1] - V[1])));
  B[2] - V[2] - s * (B[1] - V[1]);
};
miller() = {
  my(bits = binary(q), V = A, num = one, den = one, S);
  for (k = 2, #bits,
    S = elladd(E, V, V);
    num = num^2 * line(V, V); den = den^2 * vertical(S); V = S;
    if (bits[k], S = elladd(E, V, A); num *= line(V, A); den *= vertical(S); V = S));
  num / den;
};
ok = (miller()^power == ours) && ours != one && ours^q == one;
theirs = elltatepairing(E, A, B, q)^power;
ok = ok && theirs == ours;
print(if (ok, "agrees", "DIFFERS"));
'

for n in 1024 2048 3072; do
  values=$("$program" "$sets" "$n")
  answer=$(printf '%s\n%s\n' "$values" "$check" | gp -q -f -s 256M 2>&1) || true
  echo "n = $n: $answer"
  [ "$answer" = agrees ] || exit 1
  # a wrong value must not pass
  wrong=$(printf '%s\ne1 = p - e1;\n%s\n' "$values" "$check" | gp -q -f -s 256M 2>&1) || true
  [ "$wrong" != agrees ] || { echo "the conjugate passed: the check proves nothing"; exit 1; }
done
