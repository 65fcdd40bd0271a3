namespace Telemetry.Storage;

/// <summary>How serious it is that a stream is behind.</summary>
public enum LagStage : byte
{
    /// <summary>Not behind.</summary>
    None = 0,

    /// <summary>Worth knowing.</summary>
    Info = 1,

    /// <summary>Worth a look.</summary>
    Warning = 2,

    /// <summary>The log removes messages soon that nobody has read.</summary>
    Critical = 3,

    /// <summary>
    /// The log has removed messages that nobody has read, or will, at the rate at which it is read now. The gateways
    /// send them again, as far as they still have them.
    /// </summary>
    OutlivesLog = 4,
}

/// <summary>How far an owner is behind one stream of its partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Stream">The stream: live or backlog.</param>
/// <param name="Messages">The messages that are not in the database yet.</param>
/// <param name="Age">How long ago the oldest of them came; zero for none.</param>
/// <param name="Left">In how long the log removes that one for its age; null for none, or if never.</param>
/// <param name="Stage">How serious it is.</param>
public sealed record StreamLagRow(
    int Partition, string Stream, long Messages, TimeSpan Age, TimeSpan? Left, LagStage Stage);
