using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.TestKit.Simulated;

/// <summary>The files of the simulated log, shared by all users with any facts.</summary>
internal sealed class SimulatedFrameLogFiles
{
    private long _nanosLast;

    /// <summary>The streams by name: there is one stream of a name, whatever its facts.</summary>
    public Dictionary<(int Generation, int Partition, StreamKind Kind), SimulatedStream> Streams { get; } = [];

    /// <summary>The log's record of its installation.</summary>
    public StreamInstallation? Told { get; set; }

    public TimeSpan DuplicateWindow { get; set; } = TimeSpan.FromMinutes(2);

    public long LiveBytesMax { get; set; } = long.MaxValue;

    public long BacklogBytesMax { get; set; } = long.MaxValue;

    /// <summary>True: readers fetch while their messages are used, so that none waits for an idle moment.</summary>
    public bool ReadsAhead { get; set; }

    /// <summary>Counts up when every reader loses its connection.</summary>
    public int Connections { get; set; }

    /// <summary>A unique time: as with a real server, no two streams have the same one.</summary>
    public long Nanos(long now) => _nanosLast = Math.Max(_nanosLast + 1, now);
}
