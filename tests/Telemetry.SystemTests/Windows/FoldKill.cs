namespace Telemetry.SystemTests.Windows;

/// <summary>One death of the processor, and what the database had of its windows then.</summary>
/// <param name="Point">Where it killed itself.</param>
/// <param name="OpenGateways">Gateways whose row says that parts are in the processor's memory alone.</param>
/// <param name="ReadingsWithoutPart">Readings that are stored and in no part.</param>
public sealed record FoldKill(string Point, long OpenGateways, long ReadingsWithoutPart)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"processor killed itself at '{Point}'; {OpenGateways} gateways had parts in memory alone, "
        + $"{ReadingsWithoutPart} readings were in no part";
}
