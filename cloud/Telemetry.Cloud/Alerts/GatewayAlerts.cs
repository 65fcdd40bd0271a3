using Telemetry.Cloud.Storage;
using Telemetry.Model;
using Telemetry.Model.Schemas;

namespace Telemetry.Cloud.Alerts;

/// <summary>
/// The watches of one gateway. Rules are matched to series once a schema, so that a reading costs one look into an
/// array, and a frame without a watched series nothing. Part of the gateway's memory: it is thrown away with it.
/// </summary>
internal sealed class GatewayAlerts
{
    /// <summary>Schemas whose watches are remembered; beyond, all are forgotten and matched again.</summary>
    private const int SchemasMax = 16;

    private readonly GatewayId _gateway;
    private readonly Dictionary<AlertStateId, AlertStateRow> _stored;
    private readonly Dictionary<AlertStateId, AlertWatch> _watches = [];
    private readonly Dictionary<SchemaId, AlertWatch[]?[]?> _bySchema = [];
    private readonly List<AlertWatch> _changed = [];
    private readonly List<AlertStateId> _removed = [];
    private AlertRules _rules = AlertRules.None;

    public GatewayAlerts(GatewayRecord record)
    {
        _gateway = record.Id;
        _stored = record.AlertStates.ToDictionary(s => s.Id);
    }

    /// <summary>
    /// The watches of each series of a list, by its index; null when no rule fits any of them.
    /// <paramref name="unwatched"/>: pairs turned away at the limit, each time they are matched.
    /// </summary>
    public AlertWatch[]?[]? Of(SeriesList series, AlertOptions options, out int unwatched)
    {
        unwatched = 0;
        if (options.Rules.All.Count == 0)
        {
            return null;
        }

        if (_rules != options.Rules)
        {
            Use(options.Rules);
        }

        if (!_bySchema.TryGetValue(series.Id, out var watches))
        {
            if (_bySchema.Count >= SchemasMax)
            {
                _bySchema.Clear();
            }

            _bySchema[series.Id] = watches = Match(series, options, out unwatched);
        }

        return watches;
    }

    /// <summary>A watch took its first reading since its row was written.</summary>
    public void Took(AlertWatch watch) => _changed.Add(watch);

    /// <summary>Adds all rows that changed since the last call to a commit.</summary>
    public void WriteChanges(StoreCommit commit)
    {
        foreach (var watch in _changed)
        {
            commit.AlertStates.Add(watch.Write());
        }

        commit.RemovedAlertStates.AddRange(_removed);
        _changed.Clear();
        _removed.Clear();
    }

    /// <summary>
    /// States of rules that are gone go too, but for open instances: no reading has said that they ended, and they are
    /// judged again should the rule come back.
    /// </summary>
    private void Use(AlertRules rules)
    {
        _rules = rules;
        foreach (var row in _stored.Values.Where(s => s.Phase != AlertPhase.Firing && !rules.Has(s.Id.Rule)).ToArray())
        {
            _stored.Remove(row.Id);
            _removed.Add(row.Id);
        }
    }

    private AlertWatch[]?[]? Match(SeriesList series, AlertOptions options, out int unwatched)
    {
        unwatched = 0;
        AlertWatch[]?[]? bySeries = null;
        var found = new List<AlertWatch>();
        for (var index = 0; index < series.Count; index++)
        {
            found.Clear();
            foreach (var rule in options.Rules.All)
            {
                if (!rule.Match.Fits(_gateway, series.Definitions[index]))
                {
                    continue;
                }

                if (Watch(rule, series.Keys[index], options.WatchesMax) is { } watch)
                {
                    found.Add(watch);
                }
                else
                {
                    unwatched++;
                }
            }

            if (found.Count > 0)
            {
                (bySeries ??= new AlertWatch[]?[series.Count])[index] = [.. found];
            }
        }

        return bySeries;
    }

    private AlertWatch? Watch(AlertRule rule, ulong seriesKey, int watchesMax)
    {
        var id = new AlertStateId(_gateway, rule.Name, seriesKey);
        if (_watches.TryGetValue(id, out var watch))
        {
            return watch;
        }

        if (_watches.Count >= watchesMax)
        {
            return null;
        }

        watch = new AlertWatch(rule, id);
        if (_stored.Remove(id, out var row))
        {
            watch.Load(row);
        }

        return _watches[id] = watch;
    }
}
