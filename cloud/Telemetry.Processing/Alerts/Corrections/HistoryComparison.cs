using System.IO.Hashing;
using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Corrections;

/// <summary>
/// Compares the history of one rule on one series with a run in the order of event time, and tells what to publish so
/// that the history becomes the same. An instance that is the same, or overlaps one, keeps its id: it is resolved late
/// or revised. One that is new is published late, one that is in the history alone is retracted.
/// </summary>
internal sealed class HistoryComparison(AlertRule rule, AlertStateId of, InOrderHistory run)
{
    private readonly List<AlertCorrection> _corrections = [];
    private readonly Dictionary<long, UInt128> _ids = [];

    /// <summary>The differences, in the order of event time.</summary>
    public IReadOnlyList<AlertCorrection> Corrections => [.. _corrections.OrderBy(c => c.TimeMicros)];

    /// <summary>The published id of an instance that the run found, by when it began; null if it has none.</summary>
    public UInt128? IdOf(long beganMicros) => _ids.TryGetValue(beganMicros, out var id) ? id : null;

    /// <summary>The row of the instance that is open at the end of the run; null when none is.</summary>
    public AlertRow? Open { get; private set; }

    /// <summary>
    /// Compares. <paramref name="recorded"/> are the instances that the history has of this rule and series, also
    /// retracted ones, from the beginning of the run on.
    /// </summary>
    public void Compare(IEnumerable<AlertRow> recorded)
    {
        var all = recorded.ToList();
        var rows = all.Where(IsJudged).OrderBy(r => r.FiredMicros).ToList();
        var tail = rows.Find(IsOpenAtTheEnd);
        var pairs = Match(rows, tail);
        var used = all.Select(r => r.Id).ToHashSet();
        for (var at = 0; at < run.Found.Count; at++)
        {
            var found = run.Found[at];
            // From the end of the run on, the history goes on with the instance that is open there.
            var ended = found.EndedMicros ?? tail?.EndedMicros;
            if (pairs.TryGetValue(at, out var row))
            {
                Changed(row, found, ended);
            }
            else
            {
                Added(found, ended, used);
            }
        }

        foreach (var row in rows.Except(pairs.Values).Where(r => r.State != AlertInstanceState.Retracted))
        {
            Correct(AlertKind.Retracted, row with { State = AlertInstanceState.Retracted });
        }
    }

    // What began before the run is judged by it only if it was open then.
    private bool IsJudged(AlertRow row) => row.FiredMicros <= run.FromMicros
        ? row.Id == run.Carried || row.EndedMicros is null || row.EndedMicros > run.FromMicros
        : row.FiredMicros <= run.ThroughMicros
            && (row.FiredMicros <= run.PublishedThrough || row.EndedMicros is null);

    private bool IsOpenAtTheEnd(AlertRow row) => row.State != AlertInstanceState.Retracted
        && (row.EndedMicros is null || row.EndedMicros > run.ThroughMicros);

    private Dictionary<int, AlertRow> Match(List<AlertRow> rows, AlertRow? tail)
    {
        var pairs = new Dictionary<int, AlertRow>();
        var left = new List<AlertRow>(rows);
        for (var at = 0; at < run.Found.Count; at++)
        {
            Pair(at, left.Find(r => r.Id == run.Found[at].Id));
        }

        left.RemoveAll(r => r.State == AlertInstanceState.Retracted);
        var last = run.Found.Count - 1;
        if (last >= 0 && run.Found[last].EndedMicros is null)
        {
            Pair(last, left.Find(r => r == tail));
        }

        for (var at = 0; at < run.Found.Count; at++)
        {
            var (began, ended) = (run.Found[at].BeganMicros, run.Found[at].EndedMicros ?? long.MaxValue);
            Pair(at, left.Find(r => r.BeganMicros < ended && began < (r.EndedMicros ?? long.MaxValue)));
        }

        return pairs;

        void Pair(int at, AlertRow? row)
        {
            if (row is not null && pairs.TryAdd(at, row))
            {
                left.Remove(row);
            }
        }
    }

    private void Changed(AlertRow row, AlertInstance found, long? ended)
    {
        var after = row with
        {
            RuleVersion = rule.Version,
            State = ended is null ? AlertInstanceState.Firing : AlertInstanceState.Resolved,
            BeganMicros = found.BeganMicros,
            FiredMicros = found.FiredMicros,
            EndedMicros = ended,
            Peak = found.EndedMicros is null && ended is not null ? rule.Worst(row.Peak, found.Peak) : found.Peak,
        };
        var isSame = after.State == row.State && ended == row.EndedMicros;
        var began = found.BeganMicros == row.BeganMicros && found.FiredMicros == row.FiredMicros;
        if (isSame && began)
        {
            if (!after.Peak.Equals(row.Peak))
            {
                _corrections.Add(new AlertCorrection(null, after, found.FiredMicros, after.Peak));
            }
        }
        else if (began && row is { Revision: 0, State: AlertInstanceState.Firing } && found.EndedMicros is { } end)
        {
            _corrections.Add(new AlertCorrection(AlertKind.Resolved, after, end, found.EndValue));
        }
        else
        {
            after = Correct(AlertKind.Revised, after);
        }

        Took(found, after);
    }

    private void Added(AlertInstance found, long? ended, HashSet<UInt128> used)
    {
        // An instance that was revised since may have this id.
        var id = found.Id;
        while (!used.Add(id))
        {
            id = XxHash128.HashToUInt128(BitConverter.GetBytes((ulong)id));
        }

        var row = new AlertRow(
            id, of, rule.Version, rule.Severity, AlertInstanceState.Firing, found.BeganMicros, found.FiredMicros, null,
            found.Peak)
        {
            NamedMicros = found.BeganMicros,
            IsLate = true,
        };
        _corrections.Add(new AlertCorrection(AlertKind.Firing, row, found.FiredMicros, found.FiringValue));
        if (ended is { } end)
        {
            row = row with { State = AlertInstanceState.Resolved, EndedMicros = end };
            _corrections.Add(new AlertCorrection(
                AlertKind.Resolved, row, end, found.EndedMicros is null ? rule.Clear : found.EndValue));
        }

        Took(found, row);
    }

    private void Took(AlertInstance found, AlertRow row)
    {
        _ids[found.BeganMicros] = row.Id;
        Open = found.EndedMicros is null ? row : Open;
    }

    private AlertRow Correct(AlertKind kind, AlertRow row)
    {
        var bit = 1ul << (int)(ContentHash(kind, row) % 64);
        // What was perhaps published before needs another id, by which it is told apart.
        var isAgain = (row.Said & bit) != 0;
        row = row with { Revision = row.Revision + 1, Said = row.Said | bit };
        _corrections.Add(new AlertCorrection(kind, row, row.EndedMicros ?? row.FiredMicros, row.Peak)
        {
            Again = isAgain ? row.Revision : 0,
        });
        return row;
    }

    private static ulong ContentHash(AlertKind kind, AlertRow row)
    {
        var writer = new WireWriter();
        writer.Byte((byte)kind);
        writer.UInt64((ulong)row.BeganMicros);
        writer.UInt64((ulong)row.FiredMicros);
        writer.UInt64((ulong)(row.EndedMicros ?? long.MaxValue));
        return XxHash64.HashToUInt64(writer.Written);
    }
}
