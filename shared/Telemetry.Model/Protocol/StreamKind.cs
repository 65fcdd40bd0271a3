using Telemetry.Model.Identity;

namespace Telemetry.Model.Protocol;

/// <summary>The two streams of a partition.</summary>
public enum StreamKind : byte
{
    /// <summary>Critical and live frames.</summary>
    Live = 0,

    /// <summary>Backlog frames.</summary>
    Backlog = 1,
}

/// <summary>Which stream takes which lane.</summary>
public static class StreamKinds
{
    /// <summary>The stream that a lane's frames go to.</summary>
    public static StreamKind Stream(this Lane lane) => lane == Lane.Backlog ? StreamKind.Backlog : StreamKind.Live;
}
