# The workload of perl.sh: strings that grow, hashes, sorting, closures, regular expressions.
use strict;
use warnings;

my $size = shift;
my $state = 42;
sub number { $state = ($state * 1103515245 + 12345) % 2147483648; return int($state / 7) % shift }

my (%words, @lines, $digest);
sub note { for my $text (@_) { $digest = ($digest * 33 + $_) % 4294967291 for unpack 'C*', $text } }
$digest = 5381;

for my $i (1 .. $size) {
    my $word = join '', map { chr(97 + number(26)) } 1 .. 1 + number(12);
    push @{$words{$word}{lines}}, $i;
    $words{$word}{text} .= $word x number(20);
    push @lines, "$i $word " . 'x' x number(300);
    splice @lines, number(scalar @lines), 1 + number(3) if @lines > 1000;
    delete $words{(sort keys %words)[0]} if $i % 1000 == 0;
}
note($_, "@{$words{$_}{lines}}", $words{$_}{text}) for sort keys %words;
note($_) for sort { length $a <=> length $b or $a cmp $b } @lines;

my @closures = map { my $n = $_; sub { $n += number(9); "<$n>" } } 1 .. $size / 10;
note($_->()) for @closures, reverse @closures;

my $text = join ' ', @lines;
my $found = 0;
$found += length $1 while $text =~ /(\b[aeiou]\w+\b)/g;
(my $changed = $text) =~ s/(\d+)/sprintf '%05x', $1/ge;
note($changed);

sub tree { my $depth = shift; $depth ? [tree($depth - 1), "d$depth", tree($depth - 1)] : undef }
sub depth { my $t = shift; $t ? 1 + depth($t->[2]) : 0 }
my $depth = depth(tree($size > 10000 ? 15 : 10));
my $big = 'y' x 50_000_000;
substr($big, 1000, 49_000_000) = '';

print scalar(keys %words), ' ', scalar(@lines), " $found $depth ", length($big), " $digest\n";
