using Telemetry.Model.Identity;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Which frames of a gateway may be lost, frame by frame: those that a database had stored, that went with it when an
/// older one was put back, and that the log lost too; and those that were on a disk that is no more.
/// </summary>
internal sealed class LossExcuses
{
    private readonly HashSet<FrameKey> _unstored = [];
    private readonly HashSet<FrameKey> _goneFromLog = [];
    private readonly HashSet<FrameKey> _goneFromEdge = [];

    /// <summary>True once a schema of the gateway went from the log: frames there cannot be read without it.</summary>
    public bool SchemaGone { get; private set; }

    /// <summary>The database that had it stored was put back.</summary>
    public void Unstored(FrameKey frame) => _unstored.Add(frame);

    /// <summary>True when some database that was put back had it.</summary>
    public bool WasUnstored(FrameKey frame) => _unstored.Contains(frame);

    /// <summary>A copy of it went from the log.</summary>
    public void GoneFromLog(FrameKey frame) => _goneFromLog.Add(frame);

    /// <summary>A schema went from the log.</summary>
    public void SchemaGoneFromLog() => SchemaGone = true;

    /// <summary>The disk that had it is no more, or has an older content.</summary>
    public void GoneFromEdge(FrameKey frame) => _goneFromEdge.Add(frame);

    /// <summary>True when it may be lost.</summary>
    public bool MayBeLost(FrameKey frame) => _goneFromEdge.Contains(frame)
        || (_unstored.Contains(frame) && (SchemaGone || _goneFromLog.Contains(frame)));
}
