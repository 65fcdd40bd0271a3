using Telemetry.Cloud.Commands.Devices;
using Telemetry.Storage.Postgres.Devices;

namespace Telemetry.Tests.Cloud.Commands.Devices;

public sealed class DevicesVerbTests
{
    [Theory]
    [InlineData("", "Required command was not provided")]
    [InlineData("import", "'import'")]
    [InlineData("list gw", "'gw'")]
    [InlineData("move --from a --to b --at 2026-12-01", "'move'")]
    [InlineData("move pump --to b --at 2026-12-01", "'--from' is required")]
    [InlineData("move pump --from a --at 2026-12-01", "'--to' is required")]
    [InlineData("move pump --from a --to b", "'--at' is required")]
    [InlineData("move pump --from a --to a --at 2026-12-01", "--from and --to are the same gateway")]
    [InlineData("move pump --from a! --to b --at 2026-12-01", "--from: 'a!' is not allowed")]
    [InlineData("move pump --from a --to b --at noon", "--at: 'noon' is not allowed; use a time (2026-01-31T12:00Z)")]
    public void What_is_wrong_is_named(string words, string problem) =>
        Assert.Contains(problem, VerbRun.Errors<DeviceArguments>(DevicesVerb.Create, words), StringComparison.Ordinal);

    [Theory]
    [InlineData("import devices.csv", false)]
    [InlineData("import devices.csv --check", true)]
    public void File_is_imported_or_only_checked(string words, bool onlyCheck) => Assert.Equal(
        new DeviceArguments { File = "devices.csv", OnlyCheck = onlyCheck },
        VerbRun.Arguments<DeviceArguments>(DevicesVerb.Create, words));

    [Fact]
    public void Devices_of_a_gateway_and_a_site_are_listed() => Assert.Equal(
        new DeviceArguments { Gateway = "gw-1", Site = "Plant" },
        VerbRun.Arguments<DeviceArguments>(DevicesVerb.Create, "list --gateway gw-1 --site Plant"));

    [Fact]
    public void Move_has_its_gateways_and_its_time_in_UTC() => Assert.Equal(
        new DeviceArguments
        {
            Move = new DeviceMove("pump", "a", "b", new DateTime(2026, 12, 1, 11, 30, 0, DateTimeKind.Utc)),
        },
        VerbRun.Arguments<DeviceArguments>(
            DevicesVerb.Create, "move pump --from a --to b --at 2026-12-01T12:30+01:00"));
}
