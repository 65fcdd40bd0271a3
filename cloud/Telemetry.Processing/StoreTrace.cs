using Telemetry.Storage;

namespace Telemetry.Processing;

/// <summary>
/// Records when each frame of the current transaction was taken from the log, for the spans that are written after the
/// commit. Records nothing while no listener is attached. Used on the processor's thread.
/// </summary>
internal sealed class StoreTrace(TimeProvider time)
{
    private readonly List<Taken> _taken = [];
    private long _since;
    private int _framesBefore = int.MaxValue;
    private int _alertsBefore;

    /// <summary>A new transaction begins.</summary>
    public void Clear() => _taken.Clear();

    /// <summary>
    /// A message is about to be applied to a transaction that has this many frames and alert transitions.
    /// </summary>
    public void Taking(int frames, int alerts)
    {
        _framesBefore = int.MaxValue;
        if (ProcessingTracing.Wanted)
        {
            (_since, _framesBefore, _alertsBefore) = (time.GetTimestamp(), frames, alerts);
        }
    }

    /// <summary>
    /// The message was applied; the transaction now has this many frames and transitions. A message settles at most one
    /// frame; duplicates and schemas settle none.
    /// </summary>
    public void Took(int frames, int alerts)
    {
        if (frames > _framesBefore)
        {
            _taken.Add(new Taken(frames - 1, alerts - _alertsBefore, _since, time.GetTimestamp()));
        }
    }

    /// <summary>The transaction with these frames has committed.</summary>
    public void Committed(IReadOnlyList<FrameRegisterRow> frames)
    {
        var now = time.GetUtcNow();
        foreach (var taken in _taken)
        {
            ProcessingTracing.Stored(frames[taken.Frame], taken.Alerts, taken.Since, taken.AppliedAt, now, time);
        }
    }

    private readonly record struct Taken(int Frame, int Alerts, long Since, long AppliedAt);
}
