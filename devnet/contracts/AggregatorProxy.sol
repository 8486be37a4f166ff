// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IAggregator {
    function decimals() external view returns (uint8);

    function description() external view returns (string memory);

    function version() external view returns (uint256);

    function latestAnswer() external view returns (int256);

    function latestTimestamp() external view returns (uint256);

    function latestRound() external view returns (uint256);

    function getAnswer(uint256 roundId) external view returns (int256);

    function getTimestamp(uint256 roundId) external view returns (uint256);

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);

    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80);
}

/// A proxy with the outward behaviour of Chainlink's EACAggregatorProxy (which needs solc 0.6.6, a compiler this
/// project does not carry): a stable address in front of an aggregator, round ids that carry the phase in their upper
/// 16 bits, and an owner who proposes and confirms the next aggregator. The read-access controller is left out: on
/// Base it is the zero address, which lets everyone read.
contract AggregatorProxy {
    error NotOwner(address caller);
    error NotProposed(address aggregator);

    event AggregatorProposed(address indexed current, address indexed proposed);
    event AggregatorConfirmed(address indexed previous, address indexed latest);

    uint256 private constant PHASE_OFFSET = 64;

    address public immutable owner;
    uint16 public phaseId;
    IAggregator public aggregator;
    IAggregator public proposedAggregator;
    mapping(uint16 phaseId => IAggregator aggregator) public phaseAggregators;

    constructor(IAggregator aggregator_) {
        owner = msg.sender;
        setAggregator(aggregator_);
    }

    function proposeAggregator(IAggregator next) external onlyOwner {
        proposedAggregator = next;
        emit AggregatorProposed(address(aggregator), address(next));
    }

    function confirmAggregator(IAggregator next) external onlyOwner {
        if (next != proposedAggregator) revert NotProposed(address(next));
        address previous = address(aggregator);
        delete proposedAggregator;
        setAggregator(next);
        emit AggregatorConfirmed(previous, address(next));
    }

    function decimals() external view returns (uint8) {
        return aggregator.decimals();
    }

    function description() external view returns (string memory) {
        return aggregator.description();
    }

    function version() external view returns (uint256) {
        return aggregator.version();
    }

    function latestAnswer() external view returns (int256) {
        return aggregator.latestAnswer();
    }

    function latestTimestamp() external view returns (uint256) {
        return aggregator.latestTimestamp();
    }

    function latestRound() external view returns (uint256) {
        return withPhase(phaseId, uint64(aggregator.latestRound()));
    }

    function getAnswer(uint256 roundId) external view returns (int256) {
        IAggregator source = phaseAggregators[uint16(roundId >> PHASE_OFFSET)];
        return address(source) == address(0) ? int256(0) : source.getAnswer(uint64(roundId));
    }

    function getTimestamp(uint256 roundId) external view returns (uint256) {
        IAggregator source = phaseAggregators[uint16(roundId >> PHASE_OFFSET)];
        return address(source) == address(0) ? 0 : source.getTimestamp(uint64(roundId));
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return proxied(phaseId, uint64(aggregator.latestRound()));
    }

    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80) {
        return proxied(uint16(roundId >> PHASE_OFFSET), uint64(roundId));
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    function proxied(uint16 phase, uint64 aggregatorRound)
        private
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (roundId, answer, startedAt, updatedAt, answeredInRound) = phaseAggregators[phase].getRoundData(aggregatorRound);
        return
            (withPhase(phase, uint64(roundId)), answer, startedAt, updatedAt, withPhase(phase, uint64(answeredInRound)));
    }

    function withPhase(uint16 phase, uint64 aggregatorRound) private pure returns (uint80) {
        return uint80((uint256(phase) << PHASE_OFFSET) | aggregatorRound);
    }

    function setAggregator(IAggregator next) private {
        phaseId += 1;
        aggregator = next;
        phaseAggregators[phaseId] = next;
    }
}
