using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Windows;

/// <summary>
/// The parts that the transaction which stores their readings writes itself, whoever runs it: one part for each window.
/// A window that is complete at its gateway's watermark gets a part of its own from each frame, and a revision that
/// names the frame. Reusable: <see cref="Clear"/> gives the parts back to the pool.
/// </summary>
public sealed class ImmediateParts(PartPool pool)
{
    private readonly Dictionary<WindowKey, WindowPart> _incomplete = [], _complete = [];
    private readonly List<WindowPart> _late = [];
    private readonly List<WindowRevisionRow> _revisions = [];
    private GatewayId _gateway;
    private FrameKey _frame;
    private long _watermark = long.MinValue;
    private RevisionCause _cause;

    /// <summary>A new transaction begins.</summary>
    public void Clear()
    {
        foreach (var part in _late.Concat(_incomplete.Values).Concat(_complete.Values))
        {
            pool.Return(part);
        }

        _incomplete.Clear();
        _complete.Clear();
        _late.Clear();
        _revisions.Clear();
    }

    /// <summary>
    /// Begins a frame; <see cref="End"/> ends it. <paramref name="watermark"/> is the gateway's before this
    /// transaction.
    /// </summary>
    public void Begin(GatewayId gateway, FrameKey frame, long watermark, RevisionCause cause) =>
        (_gateway, _frame, _watermark, _cause) = (gateway, frame, watermark, cause);

    /// <summary>The part that this transaction adds to a window; begun if there is none.</summary>
    public WindowPart Find(SeriesEntry series, WindowSpan span)
    {
        var isComplete = span.End <= _watermark
            && _watermark - span.End >= series.Definition.ExtraLatenessMicros;
        var parts = isComplete ? _complete : _incomplete;
        var key = new WindowKey(series.Identity, span.Start);
        if (!parts.TryGetValue(key, out var part))
        {
            parts[key] = part = pool.Take().Begin(series, span);
        }

        return part;
    }

    /// <summary>Ends the frame.</summary>
    public void End()
    {
        foreach (var part in _complete.Values)
        {
            part.IsLate = true;
            _late.Add(part);
            _revisions.Add(new WindowRevisionRow(_gateway, _frame, _cause, part));
        }

        _complete.Clear();
    }

    /// <summary>Adds the parts and the revisions to a commit; they are valid until <see cref="Clear"/>.</summary>
    public void WriteTo(StoreCommit commit)
    {
        commit.Parts.AddRange(_late);
        commit.Parts.AddRange(_incomplete.Values);
        commit.Revisions.AddRange(_revisions);
    }
}
