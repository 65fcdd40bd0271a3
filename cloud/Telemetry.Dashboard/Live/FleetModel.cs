using Telemetry.Storage.Fleet;
using Telemetry.Streams.Fleet;

namespace Telemetry.Dashboard.Live;

/// <summary>
/// The fleet in memory: filled from the database, then kept by the owners' and the ingresses' messages. Any thread.
/// </summary>
public sealed class FleetModel(TimeProvider time)
{
    /// <summary>An ingress that says nothing for so long is gone, and its gateways with it.</summary>
    public static readonly TimeSpan IngressSilence = TimeSpan.FromSeconds(40);

    /// <summary>A row is pushed again after so long, unless its state changed.</summary>
    private static readonly TimeSpan PushEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly FleetColumns _fleet = new();
    private readonly PartitionCounts _counts = new();
    private readonly IngressSilences _ingresses = new(IngressSilence, time);
    private readonly HashSet<string> _alertsAsked = new(StringComparer.Ordinal);
    private readonly HashSet<int> _mustRead = [];
    private readonly HashSet<int> _changed = [];
    private readonly FleetOrder _order = new();
    private FleetSummary _summary = FleetSummary.Empty;

    /// <summary>Grows with each change of anything that is shown.</summary>
    public long Version { get; private set; }

    /// <summary>Counts over the whole fleet, as of the last <see cref="Tick"/>.</summary>
    public FleetSummary Summary
    {
        get
        {
            lock (_gate)
            {
                return _summary;
            }
        }
    }

    /// <summary>Counts over what somebody may see.</summary>
    public FleetSummary SummaryOf(SiteLimit limit)
    {
        lock (_gate)
        {
            return limit.IsNone ? _summary : _fleet.Summarize(limit);
        }
    }

    /// <summary>The database was read: all of it, or one partition.</summary>
    public void Load(FleetSnapshot snapshot, int? partition)
    {
        lock (_gate)
        {
            var timestamp = time.GetTimestamp();
            var taken = snapshot.Partitions
                .Where(p => _counts.Loaded(p, partition is null || partition == p.Partition, timestamp))
                .Select(p => p.Partition).ToHashSet();
            foreach (var gateway in snapshot.Gateways)
            {
                Load(gateway, taken, snapshot.AtMicros);
            }

            if (partition is { } one)
            {
                _mustRead.Remove(one);
            }
            else
            {
                _mustRead.Clear();
            }

            Version++;
        }
    }

    /// <summary>An owner told what commits changed.</summary>
    public void Take(PartitionChanges changes)
    {
        lock (_gate)
        {
            var (counts, mustRead) = _counts.Take(changes, time.GetTimestamp());
            if (mustRead)
            {
                _mustRead.Add(changes.Partition);
            }

            if (!counts || changes.Gateways.Count == 0)
            {
                return;
            }

            foreach (var gateway in changes.Gateways)
            {
                Take(gateway, changes.Partition, changes.AtMicros);
            }

            Version++;
        }
    }

    /// <summary>An ingress said who is connected.</summary>
    public void Take(PresenceReport report)
    {
        lock (_gate)
        {
            _ingresses.Heard(report.Ingress);
            foreach (var gateway in report.Gateways)
            {
                Take(gateway, report.Ingress);
            }

            Version += report.Gateways.Count > 0 ? 1 : 0;
        }
    }

    /// <summary>The number of firing alerts of gateways was read; those that are not named have none.</summary>
    public void TakeFiring(IReadOnlyCollection<string> gateways, IReadOnlyDictionary<string, int> counts)
    {
        lock (_gate)
        {
            foreach (var gateway in gateways)
            {
                if (_fleet.TryFind(gateway, out var i) && _fleet.Firing[i] != counts.GetValueOrDefault(gateway))
                {
                    _fleet.Firing[i] = counts.GetValueOrDefault(gateway);
                    Changed(i);
                }
            }

            Version++;
        }
    }

    /// <summary>Takes the partitions that must be read, and the gateways whose alerts must be counted.</summary>
    public (IReadOnlyList<int> Partitions, IReadOnlyList<string> Gateways) TakeAsked()
    {
        lock (_gate)
        {
            var asked = (_mustRead.Order().ToArray(), _alertsAsked.ToArray());
            _mustRead.Clear();
            _alertsAsked.Clear();
            return asked;
        }
    }

    /// <summary>What was taken could not be read: it must be read still.</summary>
    public void Ask(IEnumerable<int> partitions, IEnumerable<string> gateways)
    {
        lock (_gate)
        {
            _mustRead.UnionWith(partitions);
            _alertsAsked.UnionWith(gateways);
        }
    }

    /// <summary>When each partition was heard of.</summary>
    public IReadOnlyList<(int Partition, long HeardAt)> Heard()
    {
        lock (_gate)
        {
            return [.. _counts.Heard];
        }
    }

    /// <summary>
    /// Decides the states anew, as they change with time, and counts. With <paramref name="hearing"/> false nothing is
    /// concluded from silent ingresses.
    /// </summary>
    public void Tick(bool hearing)
    {
        lock (_gate)
        {
            var now = NowMicros();
            var silent = _ingresses.TakeSilent(hearing);
            for (var i = 0; i < _fleet.Count; i++)
            {
                if (_fleet.Connected[i] == true && silent.TryGetValue(_fleet.Ingresses[i], out var since))
                {
                    (_fleet.Connected[i], _fleet.Since[i]) = (false, now - since);
                    Changed(i);
                }

                var state = StateOf(i, now);
                if (state != _fleet.States[i])
                {
                    _fleet.States[i] = state;
                    _fleet.Pushed[i] = 0;
                    Changed(i);
                    Version++;
                }
            }

            _summary = _fleet.Summarize(SiteLimit.None);
        }
    }

    /// <summary>
    /// Takes the rows to push to the pages now: those whose state changed, and of the others that people would notice
    /// each at most once a second. Null when there are more than <paramref name="max"/>.
    /// </summary>
    public IReadOnlyList<FleetRow>? TakeChanged(int max)
    {
        lock (_gate)
        {
            var timestamp = time.GetTimestamp();
            var due = _changed.Where(i => _fleet.Pushed[i] == 0
                || time.GetElapsedTime(_fleet.Pushed[i], timestamp) >= PushEvery).ToArray();
            foreach (var i in due)
            {
                _changed.Remove(i);
                _fleet.Pushed[i] = timestamp;
            }

            return due.Length > max ? null : [.. due.Select(i => FleetRow.Of(_fleet, i))];
        }
    }

    /// <summary>Answers a question about the fleet.</summary>
    public FleetPage Find(FleetFilter filter)
    {
        lock (_gate)
        {
            var places = _order.Of(_fleet, filter.Sort, filter.Descending, Version, time);
            var matched = filter.IsEmpty ? places : Array.FindAll(places, i => filter.Matches(_fleet, i));
            var rows = matched.Skip(filter.Offset).Take(filter.Limit).Select(i => FleetRow.Of(_fleet, i)).ToArray();
            return new FleetPage(Version, matched.Length, rows, SummaryOf(filter.Sites));
        }
    }

    /// <summary>One gateway; null when it is not known, or may not be seen.</summary>
    public FleetRow? Find(string gateway, SiteLimit limit)
    {
        lock (_gate)
        {
            return _fleet.TryFind(gateway, out var i) && limit.Allows(_fleet.Sites[i])
                ? FleetRow.Of(_fleet, i) : null;
        }
    }

    /// <summary>The sites and labels that gateways have, each once, in order; at most so many of each.</summary>
    public (IReadOnlyList<string> Sites, IReadOnlyList<string> Labels) Groups(int max, SiteLimit limit)
    {
        lock (_gate)
        {
            var all = Enumerable.Range(0, _fleet.Count).Where(i => limit.Allows(_fleet.Sites[i])).ToArray();
            return (
                [.. all.SelectMany(i => _fleet.Sites[i]).Distinct().Order(StringComparer.Ordinal).Take(max)],
                [.. all.SelectMany(i => _fleet.Labels[i]).Distinct().Order(StringComparer.Ordinal).Take(max)]);
        }
    }

    private void Load(FleetGateway gateway, HashSet<int> taken, long atMicros)
    {
        var isNew = !_fleet.TryFind(gateway.Gateway, out _);
        var i = _fleet.Place(gateway.Gateway);
        var before = _fleet.Noticed(i);
        if (!gateway.Sites.SequenceEqual(_fleet.Sites[i]) || !gateway.Labels.SequenceEqual(_fleet.Labels[i]))
        {
            (_fleet.Sites[i], _fleet.Labels[i]) = ([.. gateway.Sites], [.. gateway.Labels]);
            Changed(i);
        }

        if (gateway.Partition is { } partition && (taken.Contains(partition) || isNew))
        {
            _fleet.Partitions[i] = partition;
            (_fleet.Accepted[i], _fleet.Stored[i]) = (gateway.Accepted, gateway.Stored);
            (_fleet.Rejected[i], _fleet.Dropped[i]) = (gateway.Rejected, gateway.Dropped);
            (_fleet.Lost[i], _fleet.Forks[i]) = (gateway.Lost, gateway.Fork);
            _fleet.Watermarks[i] = gateway.WatermarkMicros ?? FleetColumns.None;
            _fleet.Changed[i] = gateway.ChangedMicros ?? FleetColumns.None;
            _fleet.Firing[i] = gateway.Firing;
            _fleet.Measure(i, atMicros);
        }

        // What ingresses say themselves is newer than what the database has of it.
        if (gateway.Presence is { } presence && (isNew || _fleet.Connected[i] is null
            || !_ingresses.Knows(presence.Ingress)))
        {
            _ingresses.Add(presence.Ingress);
            _fleet.TakePresence(i, presence);
        }

        if (isNew || before != _fleet.Noticed(i))
        {
            Changed(i);
        }
    }

    private void Take(GatewayChange change, int partition, long atMicros)
    {
        var i = _fleet.Place(change.Gateway.Value);
        _fleet.Partitions[i] = partition;
        (_fleet.Accepted[i], _fleet.Stored[i]) = (change.Accepted, change.Stored);
        (_fleet.Rejected[i], _fleet.Dropped[i]) = (change.Rejected, change.Dropped);
        (_fleet.Lost[i], _fleet.Forks[i]) = (change.Lost, change.Fork);
        (_fleet.Watermarks[i], _fleet.Changed[i]) = (change.WatermarkMicros, atMicros);
        _fleet.Measure(i, atMicros);
        if (change.AlertsChanged)
        {
            _alertsAsked.Add(change.Gateway.Value);
        }

        var state = StateOf(i, NowMicros());
        if (state != GatewayState.Fresh || state != _fleet.States[i])
        {
            Changed(i);
        }
    }

    private void Take(in GatewayPresence presence, string ingress)
    {
        var i = _fleet.Place(presence.Gateway.Value);
        var isSame = _fleet.Ingresses[i] == ingress;
        var isKnown = _fleet.Connected[i] is not null;
        var replaces = !isKnown
            || (isSame ? presence.Session >= _fleet.Sessions[i]
                : presence.Connected
                    ? _fleet.Connected[i] == false || presence.SinceMicros >= _fleet.Since[i]
                    : _fleet.Connected[i] == false && presence.SinceMicros > _fleet.Since[i]);
        if (!replaces)
        {
            return;
        }

        var before = _fleet.Noticed(i);
        (_fleet.Connected[i], _fleet.Since[i]) = (presence.Connected, presence.SinceMicros);
        (_fleet.Ingresses[i], _fleet.Sessions[i]) = (ingress, presence.Session);
        (_fleet.Versions[i], _fleet.Synchronised[i]) = (presence.Version, presence.ClockSynchronised);
        _fleet.Offsets[i] = presence.ClockOffsetMicros ?? FleetColumns.None;
        if (before != _fleet.Noticed(i))
        {
            Changed(i);
        }
    }

    private GatewayState StateOf(int i, long now) => GatewayStates.Of(
        _fleet.Forks[i].Length > 0, _fleet.Connected[i], _fleet.Watermarks[i], _fleet.Changed[i], now);

    private void Changed(int i) => _changed.Add(i);

    private long NowMicros() =>
        (time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
