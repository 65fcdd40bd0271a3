using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Diagnostics.Failures;

public sealed class ReportedFailureTests
{
    private readonly SimulatedClock _clock = new();
    private readonly Lines _lines = new();

    [Fact]
    public void Trouble_is_one_line_when_it_begins_and_one_when_it_ends_however_often_it_failed()
    {
        var trouble = Make();
        for (var second = 0; second < 300; second++)
        {
            trouble.Failed("connection refused");
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal("connection refused (since 00:00:00Z)", trouble.Problem);
        _clock.Advance(ReportedFailure.Steady);
        trouble.Worked();

        Assert.Null(trouble.Problem);
        Assert.Equal(
            [
                "It fails: connection refused; since 00:00:00Z, repeats are counted, not logged",
                "It works after 302 s; 300 tries had failed",
            ],
            _lines);
    }

    [Fact]
    public void What_works_and_fails_in_turns_is_one_trouble()
    {
        var trouble = Make();
        for (var turn = 0; turn < 100; turn++)
        {
            trouble.Failed("it broke");
            _clock.Advance(TimeSpan.FromSeconds(1));
            trouble.Worked();
            _clock.Advance(TimeSpan.FromMilliseconds(900));
        }

        Assert.NotNull(trouble.Problem);
        Assert.Single(_lines);
    }

    [Fact]
    public void Trouble_says_nothing_while_its_cause_is_one()
    {
        var cause = new ReportedFailure("The cause fails", "The cause works", _clock, _lines);
        var trouble = Make(cause);
        trouble.Failed("a moment before its cause is known");
        for (var second = 0; second < 20; second++)
        {
            cause.Failed("gone");
            trouble.Failed("of course");
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Null(trouble.Problem);
        _clock.Advance(ReportedFailure.Steady);
        cause.Worked();
        trouble.Worked();

        Assert.Equal(2, _lines.Count);
        Assert.All(_lines, line => Assert.StartsWith("The cause", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Trouble_that_stays_when_its_cause_is_gone_is_said()
    {
        var cause = new ReportedFailure("The cause fails", "The cause works", _clock, _lines);
        var trouble = Make(cause);
        for (var second = 0; second < 6; second++)
        {
            trouble.Failed("the disk is full");
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(
            ["It fails: the disk is full; since 00:00:00Z, repeats are counted, not logged"], _lines);
        Assert.NotNull(trouble.Problem);
    }

    private ReportedFailure Make(ReportedFailure? cause = null) => new("It fails", "It works", _clock, _lines, cause);

    private sealed class Lines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            Assert.Null(exception);
            Add(formatter(state, exception));
        }
    }
}
