using System.Net;
using Telemetry.Ingress.Access;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Ingress.Access;

public sealed class FailedAttemptsTests
{
    private static readonly PasswordOptions Options = new() { FailuresFree = 3, SendersMax = 2 };
    private static readonly PasswordSender One = Sender("10.0.0.1", "gw-1"), Two = Sender("10.0.0.2", "gw-1"),
        Three = Sender("10.0.0.1", "");

    private readonly SimulatedClock _clock = new();
    private readonly FailedAttempts _failed;

    public FailedAttemptsTests() => _failed = new FailedAttempts(Options, _clock);

    [Fact]
    public void Pauses_begin_after_the_free_failures_double_and_end_at_the_longest()
    {
        Assert.Equal([false, false, true], Fail(One, 3));
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            Assert.True(_failed.IsPaused(One));
            _clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.True(_failed.IsPaused(One), $"{seconds} s");
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.False(_failed.IsPaused(One), $"{seconds} s");
            Assert.Equal([false], Fail(One, 1));
        }
    }

    [Fact]
    public void Other_address_and_other_gateway_are_not_paused()
    {
        Fail(One, 9);

        Assert.False(_failed.IsPaused(Two));
        Assert.False(_failed.IsPaused(Three));
    }

    [Fact]
    public void Right_password_makes_earlier_failures_forgotten()
    {
        Fail(One, 2);
        _failed.Succeeded(One);

        Assert.Equal([false, false, true], Fail(One, 3));
    }

    [Fact]
    public void Quiet_sender_begins_anew_and_what_was_not_checked_is_told_once()
    {
        Fail(One, 3);
        Assert.True(_failed.IsPaused(One));
        Assert.True(_failed.IsPaused(One));
        _clock.Advance(TimeSpan.FromSeconds(61) - TimeSpan.FromMilliseconds(1));
        Assert.False(_failed.TakeEnded(out _, out _, out _));

        _clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True(_failed.TakeEnded(out var sender, out var notChecked, out var wasPaused));
        Assert.Equal((One, 2L, true), (sender, notChecked, wasPaused));
        Assert.Equal((false, 0), (_failed.TakeEnded(out _, out _, out _), _failed.Count));
        Assert.Equal([false, false, true], Fail(One, 3));
    }

    [Fact]
    public void At_the_bound_the_sender_that_failed_longest_ago_is_forgotten()
    {
        Fail(One, 3);
        Fail(Two, 3);
        Fail(Three, 3);

        Assert.Equal(2, _failed.Count);
        Assert.Equal(
            (false, true, true), (_failed.IsPaused(One), _failed.IsPaused(Two), _failed.IsPaused(Three)));
    }

    [Theory]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", false)]
    public void Addresses_of_one_site_are_one_sender(string one, string other, bool same) =>
        Assert.Equal(same, Sender(one, "gw-1") == Sender(other, "gw-1"));

    [Fact]
    public void Sender_is_told_in_words()
    {
        Assert.Equal("gateway gw-1 from 10.0.0.1", $"{One}");
        Assert.Equal("unknown gateways from 2001:db8::/64", $"{Sender("2001:db8::7", "")}");
    }

    private List<bool> Fail(PasswordSender sender, int times) =>
        [.. Enumerable.Range(0, times).Select(_ => _failed.Failed(sender))];

    private static PasswordSender Sender(string address, string gateway) =>
        PasswordSender.Of(new IPEndPoint(IPAddress.Parse(address), 1), gateway);
}
