using System.Globalization;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>What is wrong with a row of a file of devices.</summary>
/// <param name="Line">The line on which the row begins, from 1.</param>
/// <param name="Column">The column; empty where it is the row as a whole.</param>
/// <param name="What">What is wrong, and what to use.</param>
internal readonly record struct DeviceProblem(int Line, string Column, string What)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"line {Line}{(Column.Length > 0 ? $", column {Column}" : "")}: {What}");
}
