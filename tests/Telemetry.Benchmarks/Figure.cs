using System.Globalization;

namespace Telemetry.Benchmarks;

/// <summary>Prints what was measured, beside the machine's own limit where there is one.</summary>
internal static class Figure
{
    public static void Print(string name, double value, string unit) => Console.WriteLine(Text(name, value, unit));

    public static void Print(string name, double value, string unit, string limitName, double limit) =>
        Console.WriteLine($"{Text(name, value, unit)} limit {limitName} {Number(limit)}");

    private static string Text(string name, double value, string unit) => $"figure {name} {Number(value)} {unit}";

    private static string Number(double value) =>
        value.ToString(Math.Abs(value) >= 100 ? "F0" : "G4", CultureInfo.InvariantCulture);
}
