using Microsoft.Extensions.Logging;

namespace Telemetry.Agent.Hosting;

/// <summary>
/// A log that cannot fill a card, whatever fails again and again. Of one event at most <see cref="LinesMax"/> lines a
/// minute are written, and a warning or an error of the same text as the one before only after a pause that grows from
/// a minute to an hour. What is left out is counted, and the next line of that event is followed by the number. Used by
/// any thread.
/// </summary>
internal sealed class QuietLog(ILogger log, TimeProvider time) : ILogger
{
    /// <summary>The most lines of one event in a minute.</summary>
    public const int LinesMax = 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1), SamePauseMax = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Count> _counts = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => log.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        var text = logLevel >= LogLevel.Warning ? formatter(state, exception) : "";
        if (Take(eventId.Id, text) is not { } leftOut)
        {
            return;
        }

        log.Log(logLevel, eventId, state, exception, formatter);
        if (leftOut > 0)
        {
            AgentLog.LeftOut(log, leftOut, eventId.Id);
        }
    }

    // How many were left out before this one; null when this one is left out too. No text: it is never the same.
    private int? Take(int id, string text)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (!_counts.TryGetValue(id, out var count))
            {
                _counts.Add(id, count = new Count { Since = now });
            }

            if (time.GetElapsedTime(count.Since, now) >= Window)
            {
                (count.Since, count.Lines) = (now, 0);
            }

            var isSame = text.Length > 0 && text == count.Text;
            if (count.Lines >= LinesMax || (isSame && time.GetElapsedTime(count.SaidAt, now) < count.SamePause))
            {
                count.LeftOut++;
                return null;
            }

            var longer = count.SamePause * 2;
            count.SamePause = !isSame ? Window : longer < SamePauseMax ? longer : SamePauseMax;
            (count.Text, count.SaidAt) = (text, now);
            count.Lines++;
            var leftOut = count.LeftOut;
            count.LeftOut = 0;
            return leftOut;
        }
    }

    private sealed class Count
    {
        public long Since { get; set; }

        public int Lines { get; set; }

        public int LeftOut { get; set; }

        public string Text { get; set; } = "";

        public long SaidAt { get; set; }

        public TimeSpan SamePause { get; set; }
    }
}
