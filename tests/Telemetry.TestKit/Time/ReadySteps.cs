namespace Telemetry.TestKit.Time;

/// <summary>The steps that could run now, and the choice among them.</summary>
internal sealed class ReadySteps(Random? order)
{
    private readonly Queue<PumpStep> _inOrder = new();
    private readonly List<PumpStep> _unordered = [];

    public void Add(PumpStep step)
    {
        if (order is null)
        {
            _inOrder.Enqueue(step);
        }
        else
        {
            _unordered.Add(step);
        }
    }

    public bool TryTake(out PumpStep step)
    {
        if (order is null || _unordered.Count == 0)
        {
            return _inOrder.TryDequeue(out step);
        }

        var chosen = order.Next(_unordered.Count);
        step = _unordered[chosen];
        _unordered[chosen] = _unordered[^1];
        _unordered.RemoveAt(_unordered.Count - 1);
        return true;
    }
}
