using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// Loads gateways into the memory of their partition's owner. A gateway whose row names another partition is refused:
/// it is logged once, and the caller counts it.
/// </summary>
internal sealed class GatewayLoader(IStore store, ProcessorOptions options, ILogger logger)
{
    /// <summary>The most refused gateways that are logged, each once; further ones are only counted.</summary>
    private const int RefusedMax = 1_000;

    private readonly HashSet<GatewayId> _refused = [];

    /// <summary>Loads the gateways that are not in memory; refused ones are still missing afterwards.</summary>
    public async Task LoadAsync(
        PartitionOwner owner, IEnumerable<GatewayId> gateways, CancellationToken cancellationToken)
    {
        var missing = gateways.Where(g => !owner.Gateways.ContainsKey(g)).Distinct().ToArray();
        if (missing.Length == 0)
        {
            return;
        }

        foreach (var record in await store.LoadGatewaysAsync(missing, cancellationToken))
        {
            if (owner.Load(record))
            {
                _refused.Remove(record.Id);
            }
            else if (_refused.Count < RefusedMax && _refused.Add(record.Id))
            {
                ProcessingLog.GatewayRefused(
                    logger, record.Id.Value, record.Gateway!.Partition, options.Partitions, owner.Row.Partition);
            }
        }
    }

    /// <summary>Loads the gateways whose parts of windows must be written although nothing of them came.</summary>
    public async Task LoadDueAsync(
        IEnumerable<PartitionOwner> owners, long nowMicros, CancellationToken cancellationToken)
    {
        foreach (var owner in owners)
        {
            await LoadAsync(
                owner, owner.Windows.Values.Where(w => w.IsDue(nowMicros)).Select(w => w.Gateway), cancellationToken);
        }
    }
}
