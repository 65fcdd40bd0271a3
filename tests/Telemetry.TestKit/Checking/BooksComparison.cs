using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>
/// The rules by which the journals are compared with the database. For each gateway:
/// <list type="bullet">
/// <item>stored ⊆ attempted, none twice, values equal bit for bit: multisets of (series, time, hash);</item>
/// <item>|acknowledged − stored| ≤ rejected + dropped + lost + retired ≤ |attempted − stored|;</item>
/// <item>what is rejected or dropped is missing, by series and time;</item>
/// <item>the ledger's totals are the rows': readings and those that retention has removed, dead letters, declarations,
/// lost runs, hash sums (of a gateway of which nothing is removed);</item>
/// <item>accepted = stored + rejected + dropped + lost, once everything has drained.</item>
/// </list>
/// </summary>
internal sealed class BooksComparison(SentReadings sent)
{
    private const int FaultsNamedMax = 5;
    private readonly Dictionary<GatewayId, Found> _found = sent.Gateways.ToDictionary(g => g, _ => new Found());
    private readonly List<string> _faults = [];
    private long _unknown;

    /// <summary>Adds a row of the database as the reading that its columns encode.</summary>
    public void Row(GatewayId gateway, SeriesIdentity series, long time, ulong hash)
    {
        if (!_found.TryGetValue(gateway, out var found))
        {
            if (_unknown++ < FaultsNamedMax)
            {
                _faults.Add(
                    $"stored, but no journal is of its gateway: {gateway}, series {series} at {Time(time)}");
            }

            return;
        }

        found.Stored++;
        found.HashSum += hash;
        if (!sent.Store(series, time, hash))
        {
            found.Strange.Add((series, time));
        }
    }

    /// <summary>Records a fault that belongs to no gateway.</summary>
    public void Fault(string fault)
    {
        if (_faults.Count < 100)
        {
            _faults.Add(fault);
        }
    }

    /// <summary>The verdict. <paramref name="drained"/>: nothing is on the way any more.</summary>
    public BooksVerdict Judge(IReadOnlyDictionary<GatewayId, GatewaySettlement> settled, bool drained)
    {
        Gather();
        if (_unknown > FaultsNamedMax)
        {
            _faults.Add($"{_unknown} rows in all are of gateways without a journal");
        }

        var none = new GatewaySettlement { Ledger = default };
        var books = _found.OrderBy(f => f.Key.Value, StringComparer.Ordinal)
            .Select(f => f.Value.Judge(f.Key, settled.GetValueOrDefault(f.Key, none), drained));
        return new BooksVerdict([.. books], _faults);
    }

    private static string Time(long micros) =>
        DateTimeOffset.UnixEpoch.AddTicks(micros * 10).ToString("O", System.Globalization.CultureInfo.InvariantCulture);

    private void Gather()
    {
        foreach (var (gateway, series, time, counts) in sent.All())
        {
            var found = _found[gateway];
            found.Attempted += counts.Attempted;
            found.Acknowledged += counts.Acknowledged;
            found.AcknowledgedNotStored += Math.Max(0, counts.Acknowledged - counts.Stored);
            for (var i = counts.Stored; i < counts.Attempted; i++)
            {
                found.Missing.Add(series, time);
            }

            if (counts.Stored > counts.Attempted)
            {
                found.Twice.Add((series, time));
            }
        }
    }

    /// <summary>The state of one gateway in the database.</summary>
    private sealed class Found
    {
        public long Attempted, Acknowledged, Stored, AcknowledgedNotStored;
        public ulong HashSum;
        public readonly List<(SeriesIdentity Series, long Time)> Strange = [];
        public readonly List<(SeriesIdentity Series, long Time)> Twice = [];
        public readonly MissingReadings Missing = new();

        public GatewayBooks Judge(GatewayId gateway, GatewaySettlement settled, bool drained)
        {
            var missing = Missing.Count;
            var faults = new List<string>();
            Name(faults, Twice, "stored more often than attempted");
            Name(
                faults, Strange.FindAll(s => Missing.Has(s.Series, s.Time)), "stored with another value than was sent");
            Name(faults, Strange.FindAll(s => !Missing.Has(s.Series, s.Time)), "stored, but never attempted");
            var declared = settled.Ledger.Declared + settled.Retired;
            if (AcknowledgedNotStored > declared)
            {
                faults.Add(
                    $"{AcknowledgedNotStored} acknowledged readings are not stored, only {declared} are declared");
            }

            if (declared > missing)
            {
                faults.Add(
                    $"{declared} readings are declared rejected, dropped, lost or retired, only {missing} are not "
                    + "stored");
            }

            Totals(faults, settled, drained);
            Matches(faults, settled);
            return new GatewayBooks(
                gateway, Attempted, Acknowledged, Stored, settled.Ledger, AcknowledgedNotStored, missing, faults);
        }

        private void Totals(List<string> faults, GatewaySettlement settled, bool drained)
        {
            var rejected = settled.Rejections.Count + settled.RejectedWithFrames;
            var dropped = settled.Drops.Sum(d => (long)d.Readings);
            var rows = settled.Retired > 0 ? "rows and retired ones" : "rows";
            Equal(faults, "stored", settled.Ledger.Stored, rows, Stored + settled.Retired);
            Equal(faults, "rejected", settled.Ledger.Rejected, "dead letters", rejected);
            Equal(faults, "dropped", settled.Ledger.Dropped, "declarations", dropped);
            Equal(faults, "lost", settled.Ledger.Lost, "lost runs", settled.LostInRuns);
            if (settled is { HashSum: { } sum, Retired: 0 } && sum != HashSum)
            {
                faults.Add($"the frame register's hash sum is {sum:x16}, that of the rows {HashSum:x16}");
            }

            if (drained)
            {
                Equal(faults, "accepted", settled.Accepted, "settled", settled.Ledger.Stored + settled.Ledger.Declared);
            }
        }

        // Rejections first, because each names one reading; then declarations, in the order of their end.
        private void Matches(List<string> faults, GatewaySettlement settled)
        {
            var unmatched = settled.Rejections.Where(r => !Missing.Take(r.Series, r.Time)).ToList();
            Name(faults, unmatched.ConvertAll(r => (r.Series, r.Time)), "rejected, but not missing");
            foreach (var drop in settled.Drops.OrderBy(d => d.TimeLast))
            {
                var taken = Missing.Take(drop);
                if (taken < drop.Readings)
                {
                    faults.Add($"{drop.Readings} readings of series {drop.Series} were declared dropped from "
                        + $"{Time(drop.TimeFirst)} to {Time(drop.TimeLast)}, but only {taken} are missing there");
                }
            }
        }

        private static void Equal(List<string> faults, string what, long ledger, string rows, long counted)
        {
            if (ledger != counted)
            {
                faults.Add($"the books say {what} {ledger}, {rows} say {counted}");
            }
        }

        private static void Name(List<string> faults, List<(SeriesIdentity Series, long Time)> readings, string what)
        {
            if (readings.Count > 0)
            {
                var named = readings.Take(FaultsNamedMax).Select(r => $"series {r.Series} at {Time(r.Time)}");
                faults.Add(
                    $"{readings.Count} {what}: "
                    + $"{string.Join(", ", named)}{(readings.Count > FaultsNamedMax ? " …" : "")}");
            }
        }
    }
}
