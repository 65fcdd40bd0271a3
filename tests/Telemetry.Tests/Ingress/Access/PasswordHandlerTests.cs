using System.Net;
using Microsoft.Extensions.Logging;
using Telemetry.Ingress;
using Telemetry.Ingress.Access;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Ingress.Access;

public sealed class PasswordHandlerTests
{
    private static readonly GatewayId One = GatewayId.Parse("gw-1"), Stranger = GatewayId.Parse("stranger");
    private static readonly IPEndPoint Here = new(IPAddress.Parse("10.0.0.1"), 1);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly SimulatedClock _clock = new();
    private readonly IngressCounters _counters = new();
    private readonly Lines _lines = new();
    private readonly GatewayPasswords _passwords =
        GatewayPasswords.Read([GatewayPasswords.Line(One, "one"u8)], plain: false);

    [Fact]
    public async Task Right_password_is_checked_once_and_then_passes_every_pause()
    {
        var handler = Handler(new PasswordOptions { RefuseAfter = TimeSpan.Zero, FailuresFree = 1 });
        Assert.Equal(PasswordVerdict.Right, await Judge(handler, One, "one"));
        Assert.Equal(PasswordVerdict.Wrong, await Judge(handler, One, "two"));
        Assert.Equal(PasswordVerdict.Unchecked, await Judge(handler, One, "three"));

        Assert.Equal(PasswordVerdict.Right, await Judge(handler, One, "one"));
        Assert.Equal(
            (2L, 1L), (_counters[IngressEvent.PasswordChecked], _counters[IngressEvent.ConnectUnchecked]));
    }

    [Fact]
    public async Task Unknown_names_are_one_sender_and_leave_the_known_ones_of_their_address_alone()
    {
        var handler = Handler(new PasswordOptions { RefuseAfter = TimeSpan.Zero, FailuresFree = 1 });
        Assert.Equal(PasswordVerdict.Wrong, await Judge(handler, Stranger, "x"));
        Assert.Equal(PasswordVerdict.Unchecked, await Judge(handler, GatewayId.Parse("another"), "x"));

        Assert.Equal(PasswordVerdict.Right, await Judge(handler, One, "one"));
    }

    [Fact]
    public async Task Every_refusal_is_said_at_the_same_time_after_its_attempt()
    {
        var handler = Handler(new PasswordOptions { FailuresFree = 1 });
        foreach (var user in new GatewayId?[] { One, One, Stranger, Stranger, null })
        {
            var since = _clock.GetTimestamp();
            var verdict = handler.JudgeAsync(user, "wrong"u8.ToArray(), Here, default).AsTask();
            await Task.WhenAny(UntilAsync(() => _clock.NextDue is not null), verdict);
            Assert.False(verdict.IsCompleted);

            _clock.Advance(TimeSpan.FromSeconds(1));

            Assert.NotEqual(PasswordVerdict.Right, await verdict.WaitAsync(Soon));
            Assert.Equal(TimeSpan.FromSeconds(1), _clock.GetElapsedTime(since));
        }
    }

    [Fact]
    public async Task Pause_is_logged_when_it_begins_and_when_it_has_ended()
    {
        var handler = Handler(new PasswordOptions { RefuseAfter = TimeSpan.Zero, FailuresFree = 1 });
        for (var attempt = 0; attempt < 5; attempt++)
        {
            await Judge(handler, One, "wrong");
        }

        _clock.Advance(TimeSpan.FromSeconds(61));
        await Judge(handler, One, "one");

        Assert.Equal(2, _lines.All.Count);
        Assert.StartsWith("Paused gateway gw-1 from 10.0.0.1 after 1 wrong", _lines.All[0], StringComparison.Ordinal);
        Assert.StartsWith("Ended the pauses of gateway gw-1 from 10.0.0.1", _lines.All[1], StringComparison.Ordinal);
        Assert.Contains("; 4 attempts were refused unchecked", _lines.All[1], StringComparison.Ordinal);
    }

    private PasswordHandler Handler(PasswordOptions options) =>
        new(() => _passwords, options, _counters, _clock, _lines);

    private static Task<PasswordVerdict> Judge(PasswordHandler handler, GatewayId user, string password) =>
        handler.JudgeAsync(user, System.Text.Encoding.UTF8.GetBytes(password), Here, default).AsTask().WaitAsync(Soon);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var attempt = 0; !holds(); attempt++)
        {
            Assert.True(attempt < 3000, "it did not come to hold");
            await Task.Delay(10);
        }
    }

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => All.Add(formatter(state, exception));
    }
}
