using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Commits;

/// <summary>
/// Receipts, frees and completions that no commit has taken yet. They cause no commit of their own until the outbox is
/// idle. A crash loses them, and the frames are sent again.
/// </summary>
internal sealed class DeferredUpdates
{
    private readonly HashSet<HeldFrame> _frames = [];
    private readonly HashSet<EpochState> _epochs = [];
    private List<FrameKey> _removed = [];
    private List<FrameKey> _removing = [];
    private List<HeldFrame> _takenFrames = [];
    private List<EpochState> _takenEpochs = [];

    public bool Any => _frames.Count + _epochs.Count + _removed.Count > 0;

    /// <summary>Frames that were freed or forgotten and are still in the file.</summary>
    public IEnumerable<FrameKey> RemovedNotDurably => _removing.Concat(_removed);

    public void Changed(HeldFrame frame) => _frames.Add(frame);

    public void Changed(EpochState epoch) => _epochs.Add(epoch);

    public void Removed(HeldFrame frame)
    {
        _frames.Remove(frame);
        _removed.Add(frame.Key);
    }

    /// <summary>A commit writes the frame again, so the updates of the old frame are dropped.</summary>
    public void Replaced(HeldFrame frame) => _frames.Remove(frame);

    /// <summary>Moves everything into a commit that is being made.</summary>
    public (List<FrameRow> Frames, List<EpochState> Epochs, List<FrameId> Removed) Take()
    {
        _takenFrames = [.. _frames];
        _takenEpochs = [.. _epochs];
        _frames.Clear();
        _epochs.Clear();
        (_removed, _removing) = (_removing, _removed);
        return (
            [.. _takenFrames.Select(f => f.Facts())],
            _takenEpochs,
            [.. _removing.Select(k => new FrameId(k.Epoch, k.Lane, k.First))]);
    }

    /// <summary>The commit that took the updates is durable.</summary>
    public void Committed() => _removing.Clear();

    /// <summary>The commit that took the updates was rolled back: they wait for the next one.</summary>
    public void Undo()
    {
        _frames.UnionWith(_takenFrames.Where(f => !f.Freed));
        _epochs.UnionWith(_takenEpochs);
        _removed.InsertRange(0, _removing);
        _removing.Clear();
    }
}
