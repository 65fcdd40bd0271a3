using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Webhooks;

/// <summary>
/// How far a webhook has read and is done in each partition. What is held for a summary is read and not done.
/// </summary>
internal sealed class WebhookProgress
{
    private readonly Dictionary<int, long> _read = [];
    private readonly Dictionary<int, long> _done = [];
    private readonly Dictionary<int, long> _noted = [];
    private readonly Dictionary<int, long> _heads = [];

    /// <summary>What is held; null when nothing is.</summary>
    public BrakeSummary? Held { get; private set; }

    /// <summary>The partitions that have more than was read.</summary>
    public IReadOnlyList<int> Waiting => [.. _heads.Where(h => h.Value > Read(h.Key)).Select(h => h.Key)];

    /// <summary>Up to where a partition was read.</summary>
    public long Read(int partition) => _read.GetValueOrDefault(partition);

    /// <summary>True when transitions of a partition are held.</summary>
    public bool Holds(int partition) => Held?.Partitions.Contains(partition) is true;

    /// <summary>Takes over what the database says.</summary>
    public void Look(IReadOnlyDictionary<int, WebhookPosition> positions)
    {
        foreach (var (partition, position) in positions)
        {
            _heads[partition] = position.Head;
            // Also where the database was put back: its rows are newer ones with the same numbers.
            if (_noted.GetValueOrDefault(partition, -1) != position.Number || Read(partition) > position.Head)
            {
                _read[partition] = _done[partition] = _noted[partition] = position.Number;
            }
        }
    }

    /// <summary>A row is done: sent, given up, or not to be sent.</summary>
    public void Pass(int partition, long number)
    {
        _read[partition] = number;
        if (!Holds(partition))
        {
            _done[partition] = number;
        }
    }

    /// <summary>A row waits for the summary.</summary>
    public void Hold(int partition, WebhookRow row, AlertTransition transition, DateTimeOffset now)
    {
        Held ??= new BrakeSummary();
        Held.Add(partition, row, transition, now);
        _read[partition] = row.Number;
    }

    /// <summary>The summary is sent, or given up: all that was read is done.</summary>
    public void Release()
    {
        Held = null;
        foreach (var (partition, number) in _read)
        {
            _done[partition] = number;
        }
    }

    /// <summary>What is done and not written yet.</summary>
    public IReadOnlyDictionary<int, long> Changed() =>
        _done.Where(d => _noted.GetValueOrDefault(d.Key, -1) != d.Value).ToDictionary();

    /// <summary>It is written.</summary>
    public void Noted(IReadOnlyDictionary<int, long> done)
    {
        foreach (var (partition, number) in done)
        {
            _noted[partition] = number;
        }
    }
}
