using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.TestKit.Simulated;

/// <summary>What the simulated log keeps, whoever uses it with whatever facts.</summary>
internal sealed class SimulatedFrameLogFiles
{
    private long _nanosLast;

    /// <summary>The streams, by name: of one name there is one, whatever facts it carries.</summary>
    public Dictionary<(int Generation, int Partition, StreamKind Kind), SimulatedStream> Streams { get; } = [];

    /// <summary>What the log says of its installation.</summary>
    public StreamInstallation? Told { get; set; }

    public TimeSpan DuplicateWindow { get; set; } = TimeSpan.FromMinutes(2);

    public long LiveBytesMax { get; set; } = long.MaxValue;

    public long BacklogBytesMax { get; set; } = long.MaxValue;

    /// <summary>Counts up when every reader loses its connection.</summary>
    public int Connections { get; set; }

    /// <summary>A time that no other thing has: as with a real server, no two have one time.</summary>
    public long Nanos(long now) => _nanosLast = Math.Max(_nanosLast + 1, now);
}
