using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Webhooks;

/// <summary>The transitions that are told by one event, because their minute had too many.</summary>
public sealed class BrakeSummary
{
    private const int NamesMax = 10;

    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    /// <summary>The first ten, in words.</summary>
    public List<string> First { get; } = [];

    /// <summary>The ids of the first ten: the summary's id is made of them and of the number.</summary>
    public List<string> Ids { get; } = [];

    /// <summary>When the first one was stored.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>The partitions that they are of.</summary>
    public HashSet<int> Partitions { get; } = [];

    /// <summary>Adds one.</summary>
    public void Add(int partition, WebhookRow row, AlertTransition transition, DateTimeOffset now)
    {
        Count++;
        Since ??= now - row.Age;
        Partitions.Add(partition);
        if (First.Count < NamesMax)
        {
            Ids.Add(row.Id);
            First.Add($"{transition.Rule} {transition.Kind.ToString().ToLowerInvariant()}: {transition.Device} "
                + $"{transition.Metric} of {transition.Gateway}");
        }
    }
}
