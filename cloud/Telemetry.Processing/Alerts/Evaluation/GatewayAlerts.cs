using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// The watches of one gateway. Each series is matched to the rules once, so that a reading costs one array access, and
/// a frame without a watched series costs nothing. It is part of the gateway's memory and is discarded with it.
/// </summary>
internal sealed class GatewayAlerts
{
    private readonly GatewayId _gateway;
    private readonly Dictionary<AlertStateId, AlertStateRow> _stored;
    private readonly Dictionary<AlertStateId, AlertWatch> _watches = [];

    // One entry for each line, without a limit of its own: the number of series is limited by what the gateway may
    // register, and they are in its memory anyway. If entries were forgotten, frames of a few bytes could cause them to
    // be matched again and again.
    private readonly Dictionary<SeriesLine, LineWatches> _byLine = [];
    private readonly List<AlertWatch> _changed = [];
    private readonly HashSet<AlertWatch> _gaps = [];
    private bool _hasStoredGaps;
    private readonly List<AlertStateId> _removed = [];
    private AlertRules _rules = AlertRules.None;

    public GatewayAlerts(GatewayRecord record)
    {
        _gateway = record.Id;
        _stored = record.AlertStates.ToDictionary(s => s.Id);
        _hasStoredGaps = record.AlertStates.Any(s => s.Gap is not null);
    }

    /// <summary>True when a rule may have to be run again.</summary>
    public bool HasGaps => _hasStoredGaps || _gaps.Count > 0;

    /// <summary>The watches whose gap the watermark has passed, or whose gap goes on for too long.</summary>
    public IReadOnlyList<AlertWatch> FindDue(long watermark, AlertOptions options)
    {
        if (_hasStoredGaps)
        {
            _hasStoredGaps = false;
            LoadGaps(options);
        }

        var step = options.GapStep.Ticks / TimeSpan.TicksPerMicrosecond;
        return
        [
            .. _gaps.Where(w => w.Gap is { } gap
                && (watermark > gap.ToMicros || watermark > Math.Max(gap.FromMicros, long.MinValue + step) + step)),
        ];
    }

    /// <summary>
    /// The watches of each series of a list, by index; null when no rule fits any of the series. <paramref
    /// name="matched"/> is the number of series that had to be matched. <paramref name="unwatched"/> is the number of
    /// pairs refused at the limit, counted when they are matched.
    /// </summary>
    public AlertWatch[]?[]? Of(SeriesList series, AlertOptions options, out int matched, out int unwatched)
    {
        (matched, unwatched) = (0, 0);
        if (options.Rules.All.Count == 0)
        {
            return null;
        }

        if (_rules != options.Rules)
        {
            Use(options.Rules);
        }

        if (!_byLine.TryGetValue(series.Line, out var watches))
        {
            _byLine[series.Line] = watches = new LineWatches();
        }

        if (watches.Matched < series.Count)
        {
            matched = series.Count - watches.Matched;
            unwatched = Match(watches, series, options);
        }

        return watches.BySeries;
    }

    /// <summary>Records that a watch changed for the first time since its row was written.</summary>
    public void Took(AlertWatch watch) => _changed.Add(watch);

    /// <summary>Adds all rows that changed since the last call to a commit.</summary>
    public void WriteChanges(StoreCommit commit)
    {
        foreach (var watch in _changed)
        {
            commit.AlertStates.Add(watch.Write());
            if (watch.Gap is null)
            {
                _gaps.Remove(watch);
            }
            else
            {
                _gaps.Add(watch);
            }
        }

        commit.RemovedAlertStates.AddRange(_removed);
        _changed.Clear();
        _removed.Clear();
    }

    /// <summary>
    /// Removes the states of rules that no longer exist, except open instances: no reading has shown that they ended,
    /// and they are judged again if the rule is added again.
    /// </summary>
    private void Use(AlertRules rules)
    {
        _rules = rules;
        foreach (var row in _stored.Values
            .Where(s => s.State.Phase != AlertPhase.Firing && !rules.Has(s.Id.Rule)).ToArray())
        {
            _stored.Remove(row.Id);
            _removed.Add(row.Id);
        }
    }

    private void LoadGaps(AlertOptions options)
    {
        if (_rules != options.Rules)
        {
            Use(options.Rules);
        }

        foreach (var row in _stored.Values.Where(s => s.Gap is not null).ToArray())
        {
            if (_rules.Find(row.Id.Rule) is { } rule)
            {
                Watch(rule, row.Id.Series, options.WatchesMax);
            }
        }
    }

    private int Match(LineWatches watches, SeriesList series, AlertOptions options)
    {
        var unwatched = 0;
        var found = new List<AlertWatch>();
        for (var index = watches.Matched; index < series.Count; index++)
        {
            found.Clear();
            foreach (var rule in options.Rules.All)
            {
                if (!rule.Match.Fits(_gateway, series.Entries[index].Definition))
                {
                    continue;
                }

                if (Watch(rule, series.Entries[index].Identity, options.WatchesMax) is { } watch)
                {
                    found.Add(watch);
                }
                else
                {
                    unwatched++;
                }
            }

            watches.Add(found);
        }

        return unwatched;
    }

    private AlertWatch? Watch(AlertRule rule, SeriesIdentity series, int watchesMax)
    {
        var id = new AlertStateId(_gateway, rule.Name, series);
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
            if (watch.Gap is not null)
            {
                _gaps.Add(watch);
            }
        }

        return _watches[id] = watch;
    }

    /// <summary>The watches of the series of one line that were matched so far.</summary>
    private sealed class LineWatches
    {
        private AlertWatch[]?[] _bySeries = [];
        private bool _any;

        public int Matched { get; private set; }

        /// <summary>The watches by index; null while no series is watched.</summary>
        public AlertWatch[]?[]? BySeries => _any ? _bySeries : null;

        public void Add(List<AlertWatch> watches)
        {
            if (Matched == _bySeries.Length)
            {
                Array.Resize(ref _bySeries, Math.Max(16, Matched * 2));
            }

            _bySeries[Matched++] = watches.Count > 0 ? [.. watches] : null;
            _any |= watches.Count > 0;
        }
    }
}
