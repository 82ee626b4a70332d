#!/bin/bash
# git: a repository of some 8,000 objects is filled, repacked, checked and read back.
source "$(dirname "$0")/common.bash"

# 500 commits of 8 files each, the same in every run, so that every object has a known name.
cat >history.pl <<'END'
my @text = map { join '', map { "line $_ of a file\n" } 1 .. 50 * $_ } 1 .. 8;
for my $commit (1 .. $ARGV[0]) {
    my $time = 1600000000 + $commit;
    print "commit refs/heads/main\ncommitter A <a\@example.org> $time +0000\ndata 8\nmessage\n\n";
    for my $file (0 .. 7) {
        my $at = ($commit * 7919 + $file * 104729) % length $text[$file];
        substr($text[$file], $at, 9) = "change $commit\n";
        my $size = length $text[$file];
        print "M 100644 inline d", $commit % 16, "/f$file\ndata $size\n$text[$file]\n";
    }
}
END
perl history.pl "$(scaled 500)" >stream
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_DIR

tell() { # tell NAME [preloaded]: makes the repository NAME, prints all that can be said of it
    local GIT_DIR=$PWD/$1.git run=${2-}
    $run git init -q --bare -b main "$GIT_DIR"
    $run git fast-import --quiet --max-pack-size=1m <stream
    $run git gc --quiet --aggressive --prune=now
    $run git fsck --full --strict
    $run git log --stat -n 50 --format='%H %T %s' main
    $run git rev-list --objects --all >"$1.objects"
    cut -d ' ' -f 1 "$1.objects" | $run git cat-file --batch-check
    $run git archive main | cksum
}

takes_effect git version
tell plain >plain.out
tell preloaded preloaded >preloaded.out 2>err || { cat err; fail git; }
sound err
[[ $(wc -l <plain.objects) -gt "$(scaled 5000)" ]] || fail "too few objects"
same plain.out preloaded.out
