using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>From when on a stream that is behind is reported, and how seriously.</summary>
public sealed record LagOptions
{
    /// <summary>The age of the oldest unread message from which on it is reported as information.</summary>
    public TimeSpan Info { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The age from which on it is reported as a warning.</summary>
    public TimeSpan Warning { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// It is critical when the log would remove the oldest unread message within this time; at most a quarter of the
    /// time that the log keeps messages counts.
    /// </summary>
    public TimeSpan CriticalLeft { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The stage of a stream.</summary>
    /// <param name="messages">The unread messages.</param>
    /// <param name="age">The age of the oldest one.</param>
    /// <param name="kept">How long the log keeps messages; zero for ever.</param>
    /// <param name="readASecond">The messages that were read in a second lately; null when that is not known.</param>
    public LagStage Stage(long messages, TimeSpan age, TimeSpan kept, double? readASecond)
    {
        if (messages == 0)
        {
            return LagStage.None;
        }

        if (kept > TimeSpan.Zero)
        {
            var left = kept - age;
            if (left <= TimeSpan.Zero || messages / readASecond > kept.TotalSeconds)
            {
                return LagStage.OutlivesLog;
            }

            if (left <= (CriticalLeft < kept / 4 ? CriticalLeft : kept / 4))
            {
                return LagStage.Critical;
            }
        }

        return age >= Warning ? LagStage.Warning : age >= Info ? LagStage.Info : LagStage.None;
    }
}
