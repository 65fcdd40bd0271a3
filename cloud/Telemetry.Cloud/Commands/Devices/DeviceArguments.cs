using Telemetry.Storage.Postgres.Devices;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>What the command <c>devices</c> was asked for.</summary>
internal sealed record DeviceArguments
{
    /// <summary>The file to import; null: something else is to be done.</summary>
    public string? File { get; init; }

    /// <summary>The file is only checked.</summary>
    public bool OnlyCheck { get; init; }

    /// <summary>The move to write; null: something else is to be done.</summary>
    public DeviceMove? Move { get; init; }

    /// <summary>Whose devices are listed; null: all.</summary>
    public string? Gateway { get; init; }

    /// <summary>The site of the devices that are listed; null: all.</summary>
    public string? Site { get; init; }
}
