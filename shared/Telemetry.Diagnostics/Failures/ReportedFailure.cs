using Microsoft.Extensions.Logging;

namespace Telemetry.Diagnostics.Failures;

/// <summary>
/// Something that works or does not. A change of state is one line in words; what repeats meanwhile is counted. It is
/// said to work again only after it has not failed for <see cref="Steady"/>: so one that works and fails in turns is
/// one trouble, and cannot fill the log. Any thread.
/// </summary>
/// <param name="down">The sentence's beginning while it fails: "The database cannot be reached".</param>
/// <param name="up">The sentence's beginning when it works again: "The database was reached again".</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it is said.</param>
/// <param name="cause">What explains it: while that fails, this one says nothing.</param>
public sealed partial class ReportedFailure(
    string down, string up, TimeProvider time, ILogger logger, ReportedFailure? cause = null)
{
    /// <summary>How long it must work before it is said to.</summary>
    public static readonly TimeSpan Steady = TimeSpan.FromSeconds(2);

    /// <summary>How long a trouble with a cause must last: by then the cause, if that is it, has been seen.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly Lock _lock = new();
    private string? _reason;
    private bool _said;
    private long _failures;
    private DateTimeOffset _since;
    private long _sinceStamp;
    private long _failedStamp;

    /// <summary>What is wrong now, for people; null when nothing is.</summary>
    public string? Problem
    {
        get
        {
            lock (_lock)
            {
                return _reason is null || !(_said || cause is null) ? null : $"{_reason} (since {_since:HH:mm:ss}Z)";
            }
        }
    }

    /// <summary>It failed.</summary>
    public void Failed(string reason)
    {
        lock (_lock)
        {
            _failedStamp = time.GetTimestamp();
            if (_reason is null)
            {
                (_since, _sinceStamp, _failures, _said) = (time.GetUtcNow(), _failedStamp, 0, false);
            }

            _reason = reason;
            _failures++;
            if (cause is { Problem: not null })
            {
                // Its own patience begins when the cause is gone.
                _sinceStamp = _said ? _sinceStamp : _failedStamp;
            }
            else if (!_said && (cause is null || time.GetElapsedTime(_sinceStamp) >= Patience))
            {
                _said = true;
                Began(logger, down, reason, _since);
            }
        }
    }

    /// <summary>It worked. Costs next to nothing while nothing is wrong: frames call it.</summary>
    public void Worked()
    {
        if (Volatile.Read(ref _reason) is null)
        {
            return;
        }

        lock (_lock)
        {
            if (_reason is null || time.GetElapsedTime(_failedStamp) < Steady)
            {
                return;
            }

            if (_said)
            {
                Ended(logger, up, (time.GetUtcNow() - _since).TotalSeconds, _failures);
            }

            _reason = null;
        }
    }

    [LoggerMessage(
        3010, LogLevel.Warning, "{What}: {Reason}; since {Since:HH:mm:ss}Z, repeats are counted, not logged")]
    private static partial void Began(ILogger logger, string what, string reason, DateTimeOffset since);

    [LoggerMessage(3011, LogLevel.Information, "{What} after {Seconds:0} s; {Failures} tries had failed")]
    private static partial void Ended(ILogger logger, string what, double seconds, long failures);
}
