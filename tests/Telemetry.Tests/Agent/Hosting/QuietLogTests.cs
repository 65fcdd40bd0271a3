using Microsoft.Extensions.Logging;
using Telemetry.Agent.Hosting;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Agent.Hosting;

public sealed partial class QuietLogTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly List<string> _lines = [];

    [Fact]
    public void A_failure_that_repeats_each_second_for_a_day_takes_a_few_lines_that_say_how_many_there_were() => Run(
        async (log, clock) =>
        {
            for (var i = 0; i < 86_400; i++)
            {
                TheSame(log);
                await Task.Delay(Second, clock);
            }

            Assert.InRange(_lines.Count(line => line == "the same failure"), 20, 35);
            var leftOut = _lines.Where(line => line.Contains("left out", StringComparison.Ordinal))
                .Sum(line => int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture));
            Assert.InRange(leftOut, 86_400 - 3_700, 86_400);
        });

    [Fact]
    public void A_failure_that_says_something_else_each_time_takes_ten_lines_a_minute_at_most() => Run(
        async (log, clock) =>
        {
            for (var i = 0; i < 600; i++)
            {
                Another(log, i);
                await Task.Delay(Second, clock);
            }

            Assert.InRange(_lines.Count(line => line.StartsWith("failure", StringComparison.Ordinal)), 90, 110);
        });

    [Fact]
    public void Lines_that_come_and_go_are_said_each_time() => Run(async (log, clock) =>
    {
        for (var i = 0; i < 5; i++)
        {
            Up(log);
            Down(log);
            await Task.Delay(Second * 20, clock);
        }

        Assert.Equal(10, _lines.Count);
    });

    [Fact]
    public void Pauses_grow_to_a_minute_and_the_same_failure_is_said_once_an_hour() => Run(async (_, clock) =>
    {
        var pause = new RetryPause(clock);
        var pauses = new List<double>();
        var said = 0;
        for (var i = 0; i < 130; i++)
        {
            pause.Start();
            var (wait, say) = pause.Failed("port taken");
            said += say ? 1 : 0;
            pauses.Add(wait.TotalSeconds);
            await Task.Delay(wait, clock);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], pauses[..8]);
        Assert.Equal(130, pause.Repeats);
        Assert.Equal(3, said);
        Assert.True(pause.Failed("another").Say);
        pause.Start();
        await Task.Delay(RetryPause.Max * 2, clock);
        Assert.Equal((RetryPause.Min, true), pause.Failed("another"));
    });

    private void Run(Func<ILogger, SimulatedClock, Task> test)
    {
        var pump = new Pump();
        pump.Run(() => test(new QuietLog(new Lines(_lines), pump.Clock), pump.Clock));
    }

    [LoggerMessage(7, LogLevel.Error, "the same failure")]
    private static partial void TheSame(ILogger logger);

    [LoggerMessage(8, LogLevel.Warning, "failure {Number}")]
    private static partial void Another(ILogger logger, int number);

    [LoggerMessage(1, LogLevel.Information, "up")]
    private static partial void Up(ILogger logger);

    [LoggerMessage(2, LogLevel.Information, "down")]
    private static partial void Down(ILogger logger);

    private sealed class Lines(List<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => lines.Add(formatter(state, exception));
    }
}
