using System.Net;
using Telemetry.Integration.Ingress;
using Telemetry.Model.Protocol;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>
/// A gateway that does its worst, and others in its partition and beside it. The long form, with the numbers that
/// docs/benchmarks/hostile.md shows, is asked for by the environment: <c>TELEMETRY_HOSTILE_LONG=1</c>.
/// </summary>
public sealed class HostileGatewayTests(ITestOutputHelper output)
{
    private const int ConnectsPerSecond = 200;

    /// <summary>
    /// What one attack may add to the memory of the cloud's process: it is the collector's to give back, so this is
    /// far above what is kept, and far below what grew before there were limits.
    /// </summary>
    private const long GrownMiBMax = 256;

    /// <summary>How many times the delay without attack is still good where the machine is slow.</summary>
    private const int BaselineFactor = 5;

    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(2);
    private static readonly bool Long = Environment.GetEnvironmentVariable("TELEMETRY_HOSTILE_LONG") == "1";
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(Long ? 20 : 3);
    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(Long ? 30 : 3);
    private static readonly int Frames = Long ? 10_000 : 200;
    private static readonly int SchemaSteps = Long ? 10_000 : 300;
    private static readonly int Epochs = (Long ? 10_048 : 640) / Hello.EpochsMax * Hello.EpochsMax;

    [ServersFact(nats: true, postgres: true)]
    public async Task Readings_of_others_are_stored_in_time_and_memory_is_bounded_whatever_a_gateway_does()
    {
        await using var stand = await HostileStand.Start();
        await using var hostile = new HostileGateway(stand.HostileId, stand.Cloud.MqttPort);
        await hostile.Connect();

        AttackPhase[] phases =
        [
            await stand.Measure("no attack", () => Task.Delay(Quiet)),
            await stand.Measure($"forged keys, {Frames} frames", async () =>
            {
                await hostile.ForgeKeys([stand.BesideId, stand.LateId, stand.OtherId], Frames);
                stand.Begin(stand.LateId);
                await stand.UntilStored(stand.HostileId, hostile.Frames);
                await stand.UntilStored(stand.LateId, 25);
            }),
            await stand.Measure($"{SchemaSteps} schema steps", async () =>
            {
                await hostile.StepSchemas(SchemaSteps);
                await stand.UntilSchemas(hostile.Schemas);
                await stand.UntilStored(stand.HostileId, hostile.Frames);
            }),
            await stand.Measure($"{Epochs} epochs in hellos", async () =>
            {
                var answered = await hostile.NameEpochs(Epochs);
                output.WriteLine($"{answered} of {Epochs / Hello.EpochsMax} hellos were answered");
            }),
            await stand.Measure($"{Epochs} epochs of one frame", async () =>
            {
                await hostile.BeginEpochs(Epochs);
                await stand.UntilStored(stand.HostileId, hostile.Frames);
            }),
            await stand.Measure($"{ConnectsPerSecond} CONNECTs a second without rights", async () =>
            {
                await using var attack = new PasswordAttack(
                    stand.Cloud.MqttPort, IPAddress.Parse("127.0.0.2"), ConnectsPerSecond,
                    number => number % 2 == 0 ? $"stranger-{number}" : stand.BesideId.Value);
                await Task.Delay(Connecting / 2);
                foreach (var honest in stand.Honest)
                {
                    honest.Reconnect();
                }

                await Task.Delay(Connecting / 2);
                Assert.InRange(attack.Sent, ConnectsPerSecond * Connecting.TotalSeconds / 2, double.MaxValue);
            }),
            await stand.Measure("no attack, afterwards", () => Task.Delay(Quiet)),
        ];

        foreach (var honest in stand.Honest)
        {
            await honest.Stop();
            await stand.UntilStored(honest.Id, honest.Sent);
            Assert.Equal(honest.Sent, await stand.ReadingsOf(honest.Id));
            output.WriteLine($"{honest.Id}: {honest.Sent} readings, {honest.Failures} tries failed");
        }

        await Judge(stand, phases);
        output.WriteLine($"refused of the hostile one: {string.Join(", ", hostile.Refused)}");
        output.WriteLine($"{File.ReadLines(stand.Cloud.Process.OutputFile).Count()} lines logged in all");
    }

    private async Task Judge(HostileStand stand, AttackPhase[] phases)
    {
        var longest = new List<TimeSpan>();
        foreach (var phase in phases)
        {
            var beside = await stand.Delays(phase, stand.BesideId, stand.LateId);
            var elsewhere = await stand.Delays(phase, stand.OtherId);
            output.WriteLine(phase.Describe(beside, elsewhere));
            Assert.NotEmpty(beside);
            longest.Add(beside.Concat(elsewhere).Max());
        }

        // Before and after: the machine may be busy with other things at either time.
        var baseline = (longest[0] > longest[^1] ? longest[0] : longest[^1]) * BaselineFactor;
        var limit = baseline > DelayMax ? baseline : DelayMax;
        foreach (var (phase, delay) in phases.Zip(longest))
        {
            Assert.True(delay < limit, $"{phase.Name}: a reading was stored after {delay}");
            Assert.True(phase.GrownMiB < GrownMiBMax, $"{phase.Name}: grew by {phase.GrownMiB} MiB");
        }
    }
}
