# Holds a net namespace through a process that hops to a new PID every 200 µs.
# Prints the number of the namespace.
use POSIX ();
my $unshare = `uname -m` =~ /x86_64/ ? 272 : 97;
syscall($unshare, 0x40000000) == 0 or die "$!";
$| = 1;
print +(stat "/proc/self/ns/net")[1], "\n";
while (1) {
    POSIX::_exit(0) if fork;
    select undef, undef, undef, 0.0002;
}
