using System.CommandLine;
using Telemetry.Model.Identity;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Postgres.Devices;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>The verbs <c>devices import</c>, <c>list</c> and <c>move</c>.</summary>
internal static class DevicesVerb
{
    public static Command Create(VerbAction<DeviceArguments> run) =>
        new("devices", "Where devices are, and what they are called.") { Import(run), List(run), Move(run) };

    private static Command Import(VerbAction<DeviceArguments> run)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "CSV with a header, JSON lines or a JSON array; see docs/guides/queries.md.",
        };
        var check = new Option<bool>("--check") { Description = "Only says what would change." };
        var command = new Command("import", "Describes the devices of a file; the others stay as they are.")
        {
            file, check,
        };
        command.SetAction((result, cancellationToken) => run(
            new DeviceArguments { File = result.GetRequiredValue(file), OnlyCheck = result.GetValue(check) },
            result, cancellationToken));
        return command;
    }

    private static Command List(VerbAction<DeviceArguments> run)
    {
        var gateway = new Option<string>("--gateway") { HelpName = "G", Description = "Those of a gateway." };
        var site = new Option<string>("--site") { HelpName = "S", Description = "Those of a site." };
        var command = new Command("list", "Lists devices that are described or sent a series.") { gateway, site };
        command.SetAction((result, cancellationToken) => run(
            new DeviceArguments { Gateway = result.GetValue(gateway), Site = result.GetValue(site) }, result,
            cancellationToken));
        return command;
    }

    private static Command Move(VerbAction<DeviceArguments> run)
    {
        var device = new Argument<string>("DEVICE") { Description = "Its name, at both gateways." };
        var (from, to) = (Gateway("--from", "The gateway that it left."), Gateway("--to", "The one that it came to."));
        var at = ParsedOption.Create(
            "--at", "T", "The event time from which its readings come from the other gateway.", SettingUnits.Time,
            "a time (2026-01-31T12:00Z)");
        at.Required = true;
        var command = new Command("move", "Gives a device that moved to another gateway one history.")
        {
            device, from, to, at,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(from)?.Tokens is [var left] && result.GetResult(to)?.Tokens is [var came]
                && left.Value == came.Value)
            {
                result.AddError("--from and --to are the same gateway");
            }
        });
        command.SetAction((result, cancellationToken) => run(
            new DeviceArguments
            {
                Move = new DeviceMove(
                    result.GetRequiredValue(device), result.GetValue(from)!.Value.Value,
                    result.GetValue(to)!.Value.Value, result.GetValue(at)!.Value.UtcDateTime),
            },
            result, cancellationToken));
        return command;
    }

    private static Option<GatewayId?> Gateway(string name, string description)
    {
        var option = ParsedOption.Create<GatewayId>(
            name, "G", description, static text => GatewayId.TryParse(text, out var gateway) ? gateway : null,
            $"1 to {GatewayId.LengthMax} characters of A-Z a-z 0-9 _ -");
        option.Required = true;
        return option;
    }
}
