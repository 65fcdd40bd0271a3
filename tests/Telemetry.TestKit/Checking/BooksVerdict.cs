using System.Globalization;
using System.Text;
using Telemetry.Model.Identity;

namespace Telemetry.TestKit.Checking;

/// <summary>One gateway's line of the verdict; it balances when <paramref name="Faults"/> is empty.</summary>
public sealed record GatewayBooks(
    GatewayId Gateway, long Attempted, long Acknowledged, long Stored, Totals Ledger,
    long AcknowledgedNotStored, long AttemptedNotStored, IReadOnlyList<string> Faults);

/// <summary>The checker's verdict over all gateways.</summary>
/// <param name="Gateways">One line a gateway that has a journal.</param>
/// <param name="Faults">What belongs to no gateway.</param>
public sealed record BooksVerdict(IReadOnlyList<GatewayBooks> Gateways, IReadOnlyList<string> Faults)
{
    /// <summary>Every gateway's books balance, and nothing is in the database that nobody sent.</summary>
    public bool Balanced => Faults.Count == 0 && Gateways.All(g => g.Faults.Count == 0);

    /// <summary>A table, then every fault, then one line with the sum and the verdict.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine("gateway           attempted  acknowledged        stored  rejected   dropped      lost  books");
        foreach (var g in Gateways)
        {
            Line(text, g.Gateway.Value, g.Attempted, g.Acknowledged, g.Stored, g.Ledger, g.Faults.Count == 0);
        }

        var sum = new Totals(0, 0, 0, 0);
        foreach (var g in Gateways)
        {
            sum = new Totals(
                sum.Stored + g.Stored, sum.Rejected + g.Ledger.Rejected,
                sum.Dropped + g.Ledger.Dropped, sum.Lost + g.Ledger.Lost);
        }

        Line(text, "all", Gateways.Sum(g => g.Attempted), Gateways.Sum(g => g.Acknowledged), sum.Stored, sum, Balanced);
        foreach (var g in Gateways)
        {
            foreach (var fault in g.Faults)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {g.Gateway}: {fault}");
            }
        }

        foreach (var fault in Faults)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {fault}");
        }

        return text.ToString();
    }

    private static void Line(
        StringBuilder text, string name, long attempted, long acknowledged, long stored, Totals ledger,
        bool balanced) =>
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{name,-15} {attempted,11} {acknowledged,13} {stored,13} {ledger.Rejected,9} {ledger.Dropped,9} "
            + $"{ledger.Lost,9}  {(balanced ? "balance" : "WRONG")}");
}
